import { Prisma, type Tx } from "@jobrun/db";
import { z } from "zod";
import { parseCommand } from "../operators/parse-command.ts";
import { notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { keepNothingButIds } from "./erase.ts";
import { customerPhone, id, ids, time, userId } from "./fields.ts";
import { inTenant } from "./in-tenant.ts";
import { route, type Context } from "./route.ts";
import { localeOf } from "../texts/fill.ts";

/** Columns that say how the gateway works and nothing about a person. All others are told, also new ones. */
const INTERNAL = Prisma.sql`'{revision,quotaBlocked,quotaPeriod,quotaTerms,quotaToldOn,position,requestId,
  segments,attempts,failures,resends,priority,dueAt,expiresAt,unknownSince,leasedUntil}'::text[]`;

const stored = z.record(z.string(), z.unknown());
const everything = z
  .object({
    customer: z.object({
      id,
      phone: customerPhone,
      userId,
      optedOutAt: time.nullable(),
      marketingOptedOutAt: time.nullable(),
      createdAt: time,
    }),
    conversations: z.array(stored),
    jobs: z.array(stored),
    messages: z
      .array(stored)
      .meta({ description: "With them and about them, in the order of commits" }),
    files: z
      .array(stored)
      .meta({ description: "Of these messages; their bytes are at /media/:id" }),
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
        SELECT to_jsonb(v) - ${INTERNAL} AS "row" FROM "Conversation" v WHERE v."customerId" = ${customerId}::uuid ORDER BY v."id"`),
      jobs: await rows(
        Prisma.sql`SELECT to_jsonb(j) - ${INTERNAL} AS "row" FROM "Job" j WHERE ${theirs} ORDER BY j."id"`,
      ),
      messages: await rows(
        Prisma.sql`SELECT to_jsonb(m) - ${INTERNAL} AS "row" FROM "Message" m WHERE ${about} ORDER BY m."position"`,
      ),
      files: await rows(Prisma.sql`
        SELECT jsonb_build_object('id', f."id", 'messageId', f."messageId", 'contentType', f."contentType", 'state', f."state",
          'size', octet_length(f."content"), 'createdAt', f."createdAt") AS "row"
        FROM "MediaFile" f JOIN "Message" m ON m."id" = f."messageId" WHERE ${about} ORDER BY f."id"`),
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
  phone: string | null;
  userId: string | null;
  optedOutAt: Date | null;
  marketingOptedOutAt: Date | null;
  createdAt: Date;
}

/** Their conversations are locked first, as every turn does: what is in work is committed before or plans again. */
async function lockCustomer(tx: Tx, customerId: string): Promise<CustomerRow> {
  await tx.$executeRaw`
    UPDATE "Conversation" SET "revision" = "revision" + 1 WHERE "customerId" = ${customerId}::uuid`;
  const [customer] = await tx.$queryRaw<CustomerRow[]>`
    SELECT "id"::text, "phone", "userId", "optedOutAt", "marketingOptedOutAt", "createdAt" FROM "Customer"
    WHERE "id" = ${customerId}::uuid FOR UPDATE`;
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
    const command = parseCommand(body, localeOf(locale));
    return command.kind === "reply" && numbers.has(command.number);
  });
  const addresses = await addressesOf(tx, customer);
  // A sender without a number, such as a short code, would be found in the words of others.
  const telling = addresses.filter((address) => address.startsWith("+"));
  return Prisma.sql`m."clientId" = ${tenantId}::uuid AND (
    m."conversationId" IN (SELECT "id" FROM "Conversation" WHERE "customerId" = ${customer.id}::uuid)
    OR m."sender" = ANY(${addresses}) OR m."recipient" = ANY(${addresses})
    OR EXISTS (SELECT 1 FROM unnest(${telling}::text[]) AS n WHERE position(n IN m."body") > 0)
    OR m."id" = ANY(${replies.map((reply) => reply.id)}::uuid[]))`;
}

/** Theirs, and those under which they wrote before, unless somebody else is reached there now. */
async function addressesOf(tx: Tx, { id: customerId, phone, userId: own }: CustomerRow) {
  const earlier = await tx.$queryRaw<{ address: string }[]>`
    SELECT DISTINCT m."sender" AS "address" FROM "Message" m JOIN "Conversation" v ON v."id" = m."conversationId"
    WHERE v."customerId" = ${customerId}::uuid AND m."direction" = 'INBOUND' AND NOT EXISTS (
      SELECT 1 FROM "Customer" o WHERE o."id" <> ${customerId}::uuid AND m."sender" IN (o."phone", o."userId"))`;
  const known = [phone, own, ...earlier.map(({ address }) => address)];
  return [...new Set(known.filter((address) => address !== null))];
}
