import { Prisma, type Tx } from "@jobrun/db";
import { z } from "zod";
import { parseCommand } from "../operators/parse-command.ts";
import { notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { keepNothingButIds } from "./erase.ts";
import { id, ids, time } from "./fields.ts";
import { inTenant } from "./in-tenant.ts";
import { route, type Context } from "./route.ts";

const stored = z.record(z.string(), z.unknown());
const everything = z
  .object({
    customer: z.object({ id, phone: z.string(), optedOutAt: time.nullable(), createdAt: time }),
    conversations: z.array(stored),
    jobs: z.array(stored),
    messages: z
      .array(stored)
      .meta({ description: "With them and about them, in the order of commits" }),
  })
  .meta({ id: "CustomerExport" });

export const customerRoutes = [
  route({
    method: "get",
    path: "/tenants/:id/customers/:customerId/export",
    summary: "Everything that is stored about a customer",
    role: "admin",
    params: ids("id", "customerId"),
    answers: { 200: "All of it" },
    answer: everything,
    handle: async (context, { params }) => ({
      status: 200,
      body: await exportCustomer(context, params.id, params.customerId),
    }),
  }),
  route({
    method: "delete",
    path: "/tenants/:id/customers/:customerId",
    summary: "Erase a customer: conversations, jobs, messages with them and about them",
    role: "admin",
    params: ids("id", "customerId"),
    answers: { 204: "Erased" },
    handle: async (context, { params }) => {
      await erase(context, params.id, params.customerId);
      return { status: 204 };
    },
  }),
];

function exportCustomer(
  context: Context,
  tenantId: string,
  customerId: string,
): Promise<z.input<typeof everything>> {
  return inTenant(context, tenantId, async (tx) => {
    const customer = await lockCustomer(tx, customerId);
    const about = await messagesAbout(tx, tenantId, customer);
    const theirs = Prisma.sql`"conversationId" IN (SELECT "id" FROM "Conversation" WHERE "customerId" = ${customerId}::uuid)`;
    const rows = async (query: Prisma.Sql) =>
      (await tx.$queryRaw<{ row: Record<string, unknown> }[]>(query)).map(({ row }) => row);
    const found = {
      customer,
      conversations: await rows(Prisma.sql`
        SELECT to_jsonb(v) AS "row" FROM "Conversation" v WHERE v."customerId" = ${customerId}::uuid ORDER BY v."id"`),
      jobs: await rows(
        Prisma.sql`SELECT to_jsonb(j) AS "row" FROM "Job" j WHERE ${theirs} ORDER BY j."id"`,
      ),
      messages: await rows(
        Prisma.sql`SELECT to_jsonb(m) AS "row" FROM "Message" m WHERE ${about} ORDER BY m."position"`,
      ),
    };
    await audit(tx, context, { tenantId, action: "customer.export", target: customerId });
    return found;
  });
}

async function erase(context: Context, tenantId: string, customerId: string): Promise<void> {
  const told = await inTenant(context, tenantId, async (tx) => {
    const customer = await lockCustomer(tx, customerId);
    const about = await messagesAbout(tx, tenantId, customer);
    const jobs = await tx.$queryRaw<{ id: string }[]>`
      SELECT j."id"::text FROM "Job" j JOIN "Conversation" v ON v."id" = j."conversationId"
      WHERE v."customerId" = ${customerId}::uuid AND j."founderToldAt" IS NOT NULL`;
    await keepNothingButIds(tx, about, tenantId);
    await tx.$executeRaw`DELETE FROM "Customer" WHERE "id" = ${customerId}::uuid`;
    await audit(tx, context, { tenantId, action: "customer.erase", target: customerId });
    return jobs;
  });
  for (const job of told) await context.deps.alerts.resolve("URGENT_JOB_UNANSWERED", job.id);
}

interface CustomerRow {
  id: string;
  phone: string;
  optedOutAt: Date | null;
  createdAt: Date;
}

/** Their conversations are locked first, as every turn does: what is in work is committed before or plans again. */
async function lockCustomer(tx: Tx, customerId: string): Promise<CustomerRow> {
  await tx.$executeRaw`
    UPDATE "Conversation" SET "revision" = "revision" + 1 WHERE "customerId" = ${customerId}::uuid`;
  const [customer] = await tx.$queryRaw<CustomerRow[]>`
    SELECT "id"::text, "phone", "optedOutAt", "createdAt" FROM "Customer" WHERE "id" = ${customerId}::uuid FOR UPDATE`;
  if (customer === undefined) throw notFound("customer");
  return customer;
}

/**
 * SQL on "Message" m: what was said with a customer, and between the gateway and the tenant's own
 * people about them. Those texts name them by their number, or by a job of theirs.
 */
async function messagesAbout(tx: Tx, tenantId: string, customer: CustomerRow): Promise<Prisma.Sql> {
  const jobs = await tx.$queryRaw<{ number: number }[]>`
    SELECT j."number" FROM "Job" j JOIN "Conversation" v ON v."id" = j."conversationId"
    WHERE v."customerId" = ${customer.id}::uuid`;
  const numbers = new Set(jobs.map(({ number }) => number));
  const orders = await tx.$queryRaw<{ id: string; body: string; locale: string }[]>`
    SELECT m."id"::text, m."body", t."locale" FROM "Message" m JOIN "Client" t ON t."id" = m."clientId"
    WHERE m."clientId" = ${tenantId}::uuid AND m."kind" = 'operator_text'`;
  const replies = orders.filter(({ body, locale }) => {
    const command = parseCommand(body, locale === "fr" ? "fr" : "en");
    return command.kind === "reply" && numbers.has(command.number);
  });
  // A sender without a number, such as a short code, would be found in the words of others.
  const named = customer.phone.startsWith("+")
    ? Prisma.sql`OR position(${customer.phone} IN m."body") > 0`
    : Prisma.empty;
  return Prisma.sql`m."clientId" = ${tenantId}::uuid AND (
    m."conversationId" IN (SELECT "id" FROM "Conversation" WHERE "customerId" = ${customer.id}::uuid)
    OR ${customer.phone} IN (m."sender", m."recipient") ${named}
    OR m."id" = ANY(${replies.map((reply) => reply.id)}::uuid[]))`;
}
