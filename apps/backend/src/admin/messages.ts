import { Prisma } from "@jobrun/db";
import { z } from "zod";
import { notFound } from "./admin-error.ts";
import { id, ids, messageStatus, time } from "./fields.ts";
import { humanReply, newReply } from "./human-reply.ts";
import { inTenantOf } from "./in-tenant.ts";
import { listOf, pageByPosition, toPage } from "./page.ts";
import { route } from "./route.ts";

const message = z
  .object({
    id,
    direction: z.enum(["INBOUND", "OUTBOUND"]),
    kind: z.string(),
    sender: z.string(),
    recipient: z.string(),
    type: z.string(),
    body: z.string().meta({ description: "What it says, in words" }),
    payload: z
      .unknown()
      .meta({ description: "What words alone do not say, in the provider's own form" }),
    media: z.array(z.unknown()).meta({ description: "What was attached, as the provider gave it" }),
    files: z
      .array(
        z.object({
          id,
          contentType: z.string(),
          state: z.enum(["PENDING", "FETCHED", "FAILED"]),
          size: z.int().nullable().meta({ description: "Bytes; null until it is fetched" }),
        }),
      )
      .meta({ description: "What is fetched from the provider: GET /media/:id" }),
    status: messageStatus,
    errorCode: z.string().nullable(),
    clientMessageId: z.string().nullable(),
    createdAt: time,
    sentAt: time.nullable(),
  })
  .meta({ id: "Message" });

export const messageRoutes = [
  route({
    method: "get",
    path: "/conversations/:id/messages",
    summary: "List a conversation's messages, newest first",
    role: "admin",
    params: ids("id"),
    query: z.strictObject(pageByPosition),
    answers: { 200: "A page" },
    answer: listOf(message),
    handle: async (context, { params, query: { cursor, limit } }) => {
      const before =
        cursor === undefined ? Prisma.empty : Prisma.sql`AND m."position" < ${cursor}::bigint`;
      const rows = await inTenantOf(context, "Conversation", params.id, async (tx) => {
        const [known] = await tx.$queryRaw<unknown[]>`
          SELECT 1 FROM "Conversation" WHERE "id" = ${params.id}::uuid`;
        if (known === undefined) throw notFound("conversation");
        return tx.$queryRaw<(z.input<typeof message> & { position: string })[]>`
          SELECT "id"::text, "direction"::text, "kind", "sender", "recipient", "type", "body", "payload", "media",
            "status"::text, "errorCode", "clientMessageId", "createdAt", "sentAt", "position"::text,
            COALESCE((SELECT jsonb_agg(jsonb_build_object('id', f."id", 'contentType', f."contentType", 'state', f."state",
                'size', octet_length(f."content")) ORDER BY f."id")
              FROM "MediaFile" f WHERE f."messageId" = m."id"), '[]') AS "files"
          FROM "Message" m WHERE "conversationId" = ${params.id}::uuid ${before}
          ORDER BY m."position" DESC LIMIT ${limit + 1}`;
      });
      return { status: 200, body: toPage(rows, limit, (row) => row.position) };
    },
  }),
  route({
    method: "post",
    path: "/conversations/:id/messages",
    summary:
      "Reply to the customer in person; the assistant stays out for 12 hours (not for mark_read)",
    role: "admin",
    params: ids("id"),
    body: newReply,
    answers: { 202: "Queued", 200: "This clientMessageId was used before: the state of that one" },
    answer: z.object({ id, status: messageStatus }).meta({ id: "Accepted" }),
    handle: async (context, { params, body }) => {
      const { isNew, ...state } = await humanReply(context, params.id, body);
      return { status: isNew ? 202 : 200, body: state };
    },
  }),
];
