import { Prisma, type Tx } from "@jobrun/db";
import { maskAddress } from "@jobrun/messaging";
import { z } from "zod";
import { replay } from "../outbound/replay.ts";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { id, ids, messageStatus, time } from "./fields.ts";
import { listOf, pageById, toPage } from "./page.ts";
import { route, type Context } from "./route.ts";

const state = messageStatus.exclude(["RECEIVED", "DEFERRED"]);
/** What is not over yet, or waits for a person. */
const OPEN = ["QUEUED", "SENDING", "UNKNOWN", "DEAD", "HELD"];

const entry = z
  .object({
    id,
    tenantId: id.nullable(),
    conversationId: id.nullable(),
    channel: z.string(),
    kind: z.string(),
    sender: z.string(),
    recipient: z.string().meta({ description: "Masked" }),
    status: state,
    errorCode: z.string().nullable(),
    attempts: z.int(),
    dueAt: time,
    createdAt: time,
    sentAt: time.nullable(),
  })
  .meta({ id: "OutboxEntry" });

type Entry = z.input<typeof entry>;

export const outboxRoutes = [
  route({
    method: "get",
    path: "/admin/outbox",
    summary:
      "List texts to send, newest first; without a state those that are queued, in work, stuck or held",
    role: "super-admin",
    query: z.strictObject({ ...pageById, state: state.optional() }),
    answers: { 200: "A page" },
    answer: listOf(entry),
    handle: async ({ deps }, { query: { cursor, limit, state: wanted } }) => {
      const states = wanted === undefined ? OPEN : [wanted];
      const before = cursor === undefined ? Prisma.empty : Prisma.sql`AND "id" < ${cursor}::uuid`;
      const rows = await deps.db.serviceTransaction((tx) =>
        readEntries(
          tx,
          Prisma.sql`"status" = ANY(${states}::"MessageStatus"[]) ${before} ORDER BY "id" DESC LIMIT ${limit + 1}`,
        ),
      );
      return { status: 200, body: toPage(rows, limit, (row) => row.id) };
    },
  }),
  route({
    method: "post",
    path: "/admin/outbox/:id/replay",
    summary: "Queue a text again that was given up on",
    role: "super-admin",
    params: ids("id"),
    answers: { 202: "Queued again" },
    answer: entry,
    handle: async (context, { params }) => {
      const body = await replayOne(context, params.id);
      context.deps.wakeOutbox();
      return { status: 202, body };
    },
  }),
];

function replayOne(context: Context, messageId: string): Promise<Entry> {
  return context.deps.db.serviceTransaction(async (tx) => {
    const [queued] = await replay(tx, [messageId]);
    const [row] = await readEntries(tx, Prisma.sql`"id" = ${messageId}::uuid`);
    if (row === undefined) throw notFound("text");
    if (queued === undefined) throw new AdminError("conflict", refusalOf(row.status));
    const { tenantId } = row;
    await audit(tx, context, { tenantId, action: "outbox.replay", target: messageId });
    return row;
  });
}

function refusalOf(status: Entry["status"]): string {
  if (status === "DEAD") return "Its reader wants no more texts";
  // Sent now, it would be held again at once.
  if (status === "HELD")
    return "It leaves when its reader writes again, or when its tenant gets a re-engagement template";
  return `A text that is ${status} was not given up on`;
}

async function readEntries(tx: Tx, which: Prisma.Sql): Promise<Entry[]> {
  const rows = await tx.$queryRaw<Entry[]>`
    SELECT "id"::text, "clientId"::text AS "tenantId", "conversationId"::text, "channel", "kind", "sender", "recipient",
      "status"::text, "errorCode", "attempts", "dueAt", "createdAt", "sentAt"
    FROM "Message" WHERE "direction" = 'OUTBOUND' AND ${which}`;
  return rows.map((row) => ({ ...row, recipient: maskAddress(row.recipient) }));
}
