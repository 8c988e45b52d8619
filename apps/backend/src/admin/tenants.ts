import { newId, Prisma, type Tx } from "@jobrun/db";
import { z } from "zod";
import { OPERATOR_CHANNEL } from "../jobs/sender-of.ts";
import { releaseNumber } from "../numbers/release.ts";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { keepNothingButIds } from "./erase.ts";
import { checkPhones } from "./check-phones.ts";
import { checkTemplate } from "./check-template.ts";
import { ids } from "./fields.ts";
import { inTenant } from "./in-tenant.ts";
import { listOf, pageById, toPage } from "./page.ts";
import { route, type Context } from "./route.ts";
import {
  auditOf,
  newTenant,
  tenant,
  tenantChange,
  type TenantChange,
  type TenantRow,
} from "./tenant-fields.ts";

export const tenantRoutes = [
  route({
    method: "post",
    path: "/tenants",
    summary: "Add a tenant",
    role: "super-admin",
    body: newTenant,
    answers: { 201: "Added" },
    answer: tenant,
    handle: async (context, { body }) => ({ status: 201, body: await add(context, body) }),
  }),
  route({
    method: "get",
    path: "/tenants",
    summary: "List tenants, newest first",
    role: "super-admin",
    query: z.strictObject(pageById),
    answers: { 200: "A page" },
    answer: listOf(tenant),
    handle: async ({ deps }, { query: { cursor, limit } }) => {
      const after =
        cursor === undefined ? Prisma.empty : Prisma.sql`WHERE t."id" < ${cursor}::uuid`;
      const rows = await deps.db.serviceTransaction((tx) =>
        readTenants(tx, Prisma.sql`${after} ORDER BY t."id" DESC LIMIT ${limit + 1}`),
      );
      return { status: 200, body: toPage(rows, limit, (row) => row.id) };
    },
  }),
  route({
    method: "get",
    path: "/tenants/:id",
    summary: "One tenant",
    role: "admin",
    params: ids("id"),
    answers: { 200: "The tenant" },
    answer: tenant,
    handle: async (context, { params }) => ({
      status: 200,
      body: await inTenant(context, params.id, (tx) => readTenant(tx, params.id)),
    }),
  }),
  route({
    method: "patch",
    path: "/tenants/:id",
    summary: "Change a tenant; plan and limits as a super-admin only",
    role: "admin",
    params: ids("id"),
    body: tenantChange,
    answers: { 200: "Changed" },
    answer: tenant,
    handle: async (context, { params, body }) => ({
      status: 200,
      body: await change(context, params.id, body),
    }),
  }),
  route({
    method: "delete",
    path: "/tenants/:id",
    summary: "Delete a tenant with all that is theirs; their SMS numbers rest for 30 days",
    role: "super-admin",
    params: ids("id"),
    answers: { 204: "Deleted" },
    handle: async (context, { params }) => {
      await remove(context, params.id);
      return { status: 204 };
    },
  }),
];

async function add(context: Context, body: z.output<typeof newTenant>): Promise<TenantRow> {
  const id = newId();
  checkTemplate(context, body.reengagementTemplate);
  const { operatorPhone, secondContactPhone } = body;
  await checkPhones(context, { operatorPhone, secondContactPhone });
  return context.deps.db.serviceTransaction(async (tx) => {
    await tx.$executeRaw`
      INSERT INTO "Client" ("id", "name", "operatorPhone", "locale", "timeZone", "region", "plan", "ownerName", "secondContactPhone",
        "reengagementTemplate")
      VALUES (${id}::uuid, ${body.name}, ${body.operatorPhone}, ${body.locale}, ${body.timeZone}, ${body.region},
        ${body.plan}, ${body.ownerName}, ${body.secondContactPhone}, ${jsonOrNull(body.reengagementTemplate)})`;
    await audit(tx, context, {
      tenantId: id,
      action: "tenant.create",
      target: id,
      changes: auditOf(body),
    });
    return readTenant(tx, id);
  });
}

async function change(context: Context, id: string, body: TenantChange): Promise<TenantRow> {
  const changed = await inTenant(context, id, async (tx) => {
    checkTemplate(context, body.reengagementTemplate ?? null);
    // What a tenant pays for is not the tenant's to decide.
    const paid = (["plan", "limits"] as const).filter((field) => body[field] !== undefined);
    if (context.principal.role !== "super-admin" && paid.length > 0)
      throw new AdminError(
        "forbidden",
        "This needs the role super-admin",
        paid.map((field) => ({ field, message: "is set by a super-admin" })),
      );
    const { limits, reengagementTemplate, ...columns } = body;
    const { operatorPhone, secondContactPhone } = columns;
    await checkPhones(context, { operatorPhone, secondContactPhone });
    const sets = Object.entries(columns).map(
      ([column, value]) => Prisma.sql`${Prisma.raw(`"${column}"`)} = ${value}`,
    );
    // Null is the plan's, which is what a key that is not there means.
    if (limits !== undefined)
      sets.push(
        Prisma.sql`"limits" = jsonb_strip_nulls("limits" || ${JSON.stringify(limits)}::jsonb)`,
      );
    if (reengagementTemplate !== undefined)
      sets.push(Prisma.sql`"reengagementTemplate" = ${jsonOrNull(reengagementTemplate)}`);
    await tx.$executeRaw`UPDATE "Client" SET ${Prisma.join(sets)} WHERE "id" = ${id}::uuid`;
    await audit(tx, context, {
      tenantId: id,
      action: "tenant.update",
      target: id,
      changes: auditOf(body),
    });
    if (reengagementTemplate) await releaseHeld(tx, id);
    return readTenant(tx, id);
  });
  if (body.reengagementTemplate) context.deps.wakeOutbox();
  return changed;
}

/** With a template they may leave: what each will be is decided when it is sent. */
async function releaseHeld(tx: Tx, id: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE "Message" SET "status" = 'QUEUED', "dueAt" = now()
    WHERE "clientId" = ${id}::uuid AND "status" = 'HELD'`;
}

function jsonOrNull(value: unknown): Prisma.Sql {
  return Prisma.sql`${value === null ? null : JSON.stringify(value)}::jsonb`;
}

async function remove(context: Context, id: string): Promise<void> {
  const { deps } = context;
  const told = await deps.db.serviceTransaction(async (tx) => {
    const [locked] = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM "Client" WHERE "id" = ${id}::uuid FOR UPDATE`;
    if (locked === undefined) throw notFound("tenant");
    const numbers = await tx.$queryRaw<{ phoneNumber: string }[]>`
      SELECT "phoneNumber" FROM "TwilioNumberPool" WHERE "clientId" = ${id}::uuid`;
    for (const { phoneNumber } of numbers) await releaseNumber(tx, phoneNumber);
    const detached = await tx.$queryRaw<{ address: string }[]>`
      DELETE FROM "ChannelNumber" WHERE "clientId" = ${id}::uuid RETURNING "address"`;
    const jobs = await tx.$queryRaw<{ id: string }[]>`
      SELECT "id"::text FROM "Job" WHERE "clientId" = ${id}::uuid AND "founderToldAt" IS NOT NULL`;
    await keepNothingButIds(tx, Prisma.sql`m."clientId" = ${id}::uuid`, null);
    await tx.$executeRaw`DELETE FROM "Client" WHERE "id" = ${id}::uuid`;
    const released = [
      ...numbers.map(({ phoneNumber }) => phoneNumber),
      ...detached.map(({ address }) => address),
    ];
    await audit(tx, context, {
      tenantId: id,
      action: "tenant.delete",
      target: id,
      changes: { released },
    });
    return jobs;
  });
  for (const job of told) await deps.alerts.resolve("URGENT_JOB_UNANSWERED", job.id);
}

async function readTenant(tx: Tx, id: string): Promise<TenantRow> {
  const [row] = await readTenants(tx, Prisma.sql`WHERE t."id" = ${id}::uuid`);
  if (row === undefined) throw notFound("tenant");
  return row;
}

function readTenants(tx: Tx, which: Prisma.Sql): Promise<TenantRow[]> {
  return tx.$queryRaw<TenantRow[]>`
    SELECT t."id"::text, t."name", t."operatorPhone", t."ownerName", t."secondContactPhone", t."locale", t."timeZone",
      t."region", t."plan", t."outboundPaused", t."aiDisabled", t."limits", t."reengagementTemplate",
      t."createdAt", COALESCE((SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(n)) ORDER BY n."phoneNumber", n."channel")
        FROM (SELECT ${OPERATOR_CHANNEL} AS "channel", "phoneNumber", NULL AS "provider", NULL AS "phoneNumberId"
                FROM "TwilioNumberPool" WHERE "clientId" = t."id"
              UNION ALL SELECT "channel", "phoneNumber", "provider", "address" FROM "ChannelNumber"
                WHERE "clientId" = t."id") n), '[]') AS "numbers"
    FROM "Client" t ${which}`;
}
