import { Prisma, type Tx } from "@jobrun/db";
import { z } from "zod";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { id, ids, time } from "./fields.ts";
import { listOf, pageById, toPage } from "./page.ts";
import { route, type Context } from "./route.ts";

const state = z.enum(["OPEN", "ACKNOWLEDGED", "RESOLVED"]);

const alert = z
  .object({
    id,
    key: z.string(),
    type: z.string(),
    severity: z.string(),
    state,
    summary: z.string(),
    occurrences: z.int(),
    raisedAt: time,
    lastSeenAt: time,
    resolvedAt: time.nullable(),
  })
  .meta({ id: "Alert" });

type AlertRow = z.input<typeof alert>;

export const alertRoutes = [
  route({
    method: "get",
    path: "/admin/alerts",
    summary: "List alerts, newest first",
    role: "super-admin",
    query: z.strictObject({ ...pageById, state: state.optional() }),
    answers: { 200: "A page" },
    answer: listOf(alert),
    handle: async ({ deps }, { query: { cursor, limit, state: wanted } }) => {
      const before = cursor === undefined ? Prisma.sql`true` : Prisma.sql`"id" < ${cursor}::uuid`;
      const fits =
        wanted === undefined ? Prisma.empty : Prisma.sql`AND "state" = ${wanted}::"AlertState"`;
      const rows = await deps.db.serviceTransaction((tx) =>
        readAlerts(tx, Prisma.sql`${before} ${fits} ORDER BY "id" DESC LIMIT ${limit + 1}`),
      );
      return { status: 200, body: toPage(rows, limit, (row) => row.id) };
    },
  }),
  route({
    method: "post",
    path: "/admin/alerts/:id/ack",
    summary: "Acknowledge an alert: nobody is told of it again unless it gets worse",
    role: "super-admin",
    params: ids("id"),
    answers: { 200: "The alert as it is now" },
    answer: alert,
    handle: async (context, { params }) => ({
      status: 200,
      body: await acknowledge(context, params.id),
    }),
  }),
];

function acknowledge(context: Context, alertId: string): Promise<AlertRow> {
  return context.deps.db.serviceTransaction(async (tx) => {
    const changed = await tx.$executeRaw`
      UPDATE "Alert" SET "state" = 'ACKNOWLEDGED' WHERE "id" = ${alertId}::uuid AND "state" = 'OPEN'`;
    const [row] = await readAlerts(tx, Prisma.sql`"id" = ${alertId}::uuid`);
    if (row === undefined) throw notFound("alert");
    if (row.state === "RESOLVED") throw new AdminError("conflict", "This alert is resolved");
    if (changed === 1)
      await audit(tx, context, { tenantId: null, action: "alert.acknowledge", target: alertId });
    return row;
  });
}

function readAlerts(tx: Tx, which: Prisma.Sql): Promise<AlertRow[]> {
  return tx.$queryRaw<AlertRow[]>`
    SELECT "id"::text, "key", "type", "severity", "state"::text, "summary", "occurrences", "raisedAt", "lastSeenAt", "resolvedAt"
    FROM "Alert" WHERE ${which}`;
}
