import { Prisma, type Tx } from "@jobrun/db";
import { z } from "zod";
import { notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { customerPhone, id, ids, time, userId } from "./fields.ts";
import { inTenant, inTenantOf } from "./in-tenant.ts";
import { listOf, pageById, toPage } from "./page.ts";
import { route, type Context } from "./route.ts";

/** As long as an operator's REPLY lasts. */
export const TAKE_OVER_HOURS = 12;

const conversation = z
  .object({
    id,
    channel: z.string(),
    customer: z.object({ id, phone: customerPhone, userId, optedOut: z.boolean() }),
    humanUntil: time.nullable().meta({ description: "Until then the assistant stays out" }),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: "Conversation" });

type ConversationRow = z.input<typeof conversation>;

export const conversationRoutes = [
  route({
    method: "get",
    path: "/tenants/:id/conversations",
    summary: "List a tenant's conversations, newest first",
    role: "admin",
    params: ids("id"),
    query: z.strictObject(pageById),
    answers: { 200: "A page" },
    answer: listOf(conversation),
    handle: async (context, { params, query: { cursor, limit } }) => {
      const before = cursor === undefined ? Prisma.sql`true` : Prisma.sql`v."id" < ${cursor}::uuid`;
      const rows = await inTenant(context, params.id, (tx) =>
        readConversations(tx, Prisma.sql`${before} ORDER BY v."id" DESC LIMIT ${limit + 1}`),
      );
      return { status: 200, body: toPage(rows, limit, (row) => row.id) };
    },
  }),
  route({
    method: "post",
    path: "/conversations/:id/takeover",
    summary: `Keep the assistant out for ${TAKE_OVER_HOURS} hours`,
    role: "admin",
    params: ids("id"),
    answers: { 200: "Taken over" },
    answer: conversation,
    handle: async (context, { params }) => ({
      status: 200,
      body: await setTakeOver(context, params.id, TAKE_OVER_HOURS),
    }),
  }),
  route({
    method: "post",
    path: "/conversations/:id/release",
    summary: "Let the assistant answer again",
    role: "admin",
    params: ids("id"),
    answers: { 200: "Released" },
    answer: conversation,
    handle: async (context, { params }) => ({
      status: 200,
      body: await setTakeOver(context, params.id, null),
    }),
  }),
];

/** The revision rises: a turn in work plans again, with what was decided here. */
function setTakeOver(
  context: Context,
  conversationId: string,
  hours: number | null,
): Promise<ConversationRow> {
  return inTenantOf(context, "Conversation", conversationId, async (tx, tenantId) => {
    await tx.$executeRaw`
      UPDATE "Conversation" SET "humanUntil" = now() + make_interval(hours => ${hours}::int),
        "revision" = "revision" + 1, "updatedAt" = now()
      WHERE "id" = ${conversationId}::uuid`;
    const [row] = await readConversations(tx, Prisma.sql`v."id" = ${conversationId}::uuid`);
    if (row === undefined) throw notFound("conversation");
    const action = hours === null ? "conversation.release" : "conversation.takeover";
    await audit(tx, context, { tenantId, action, target: conversationId });
    return row;
  });
}

async function readConversations(tx: Tx, which: Prisma.Sql): Promise<ConversationRow[]> {
  return tx.$queryRaw<ConversationRow[]>`
    SELECT v."id"::text, v."channel", v."humanUntil", v."createdAt", v."updatedAt",
      jsonb_build_object('id', c."id", 'phone', c."phone", 'userId', c."userId",
        'optedOut', c."optedOutAt" IS NOT NULL) AS "customer"
    FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" WHERE ${which}`;
}
