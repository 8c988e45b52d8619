import { Prisma, type Tx } from "@jobrun/db";
import type { Content } from "@jobrun/messaging";
import { z } from "zod";
import { senderOf } from "../jobs/sender-of.ts";
import { enqueue } from "../outbound/enqueue.ts";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { TAKE_OVER_HOURS } from "./conversations.ts";
import type { messageStatus } from "./fields.ts";
import { inTenantOf } from "./in-tenant.ts";
import type { Context } from "./route.ts";

/** What each type needs is the channel's to say: see `readReply`. */
export const newReply = z
  .looseObject({
    clientMessageId: z
      .string()
      .min(1)
      .max(128)
      .meta({ description: "Yours, unique within the tenant: a repeated request sends nothing" }),
    type: z.string().meta({
      description:
        "text, or what else the conversation's channel carries: a wrong one is answered with the list",
    }),
  })
  .meta({
    id: "NewReply",
    description:
      "Besides, the object that is called as the type, in Meta's shape; and, in answer to one message, context: { message_id }",
    example: { clientMessageId: "reply-1", type: "text", text: { body: "On my way" } },
  });
type NewReply = z.output<typeof newReply>;

/** Shows the customer that theirs was read. It says nothing, so it is no reply, and nobody can want none. */
const MARK_READ = "mark_read";

interface ReplyState {
  id: string;
  status: z.infer<typeof messageStatus>;
  /** False when the clientMessageId was used before */
  isNew: boolean;
}

interface Recipient {
  channel: string;
  address: string;
  optedOut: boolean;
  sender: string | null;
}

/** An urgent job that this reply answers. */
interface AnsweredJob {
  id: string;
  founderTold: boolean;
}

/**
 * Queues what a person sends to a customer, once per clientMessageId, after all that is queued in
 * the conversation. As an operator's REPLY it keeps the assistant out, goes also while answers are
 * paused, and answers an urgent job without taking it.
 *
 * @throws AdminError not_found; invalid when the channel does not carry it; conflict when the customer
 *   wants no texts
 */
export async function humanReply(
  context: Context,
  conversationId: string,
  reply: NewReply,
): Promise<ReplyState> {
  const { deps, requestId } = context;
  const { clientMessageId } = reply;
  const { tenantId, jobs, segments, ...state } = await inTenantOf(
    context,
    "Conversation",
    conversationId,
    async (tx, tenant) => {
      // Whoever has the same id at this moment waits, whatever the conversation; then one finds the other's.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${tenant}:${clientMessageId}`}, 0))`;
      const recipient = await lockRecipient(tx, conversationId);
      const earlier = await findReply(tx, clientMessageId, conversationId);
      if (earlier !== null)
        return { ...earlier, isNew: false, tenantId: tenant, jobs: [], segments: 0 };
      const content = readReply(context, recipient.channel, reply);
      const queued = await queue(tx, context, { tenantId: tenant, conversationId }, recipient, {
        clientMessageId,
        content,
      });
      return { ...queued, status: "QUEUED" as const, isNew: true, tenantId: tenant };
    },
  );
  if (!state.isNew) return state;
  const { id: messageId } = state;
  deps.events.emit("message_queued", {
    requestId,
    tenantId,
    conversationId,
    messageId,
    kind: "reply",
    segments,
  });
  for (const { id: jobId } of jobs)
    deps.events.emit("urgent_job_acknowledged", { requestId, tenantId, conversationId, jobId });
  deps.wakeOutbox();
  return state;
}

/** The row lock is what gives texts their order. */
async function lockRecipient(tx: Tx, conversationId: string): Promise<Recipient> {
  await tx.$executeRaw`SELECT 1 FROM "Conversation" WHERE "id" = ${conversationId}::uuid FOR UPDATE`;
  const [recipient] = await tx.$queryRaw<Recipient[]>`
    SELECT v."channel", COALESCE(c."phone", c."userId") AS "address", c."optedOutAt" IS NOT NULL AS "optedOut",
      ${senderOf(Prisma.sql`v`)} AS "sender"
    FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" WHERE v."id" = ${conversationId}::uuid`;
  if (recipient === undefined) throw notFound("conversation");
  return recipient;
}

async function findReply(tx: Tx, clientMessageId: string, conversationId: string) {
  const [found] = await tx.$queryRaw<
    { id: string; status: ReplyState["status"]; conversationId: string | null }[]
  >`
    SELECT "id"::text, "status"::text, "conversationId"::text FROM "Message" WHERE "clientMessageId" = ${clientMessageId}`;
  if (found === undefined) return null;
  if (found.conversationId !== conversationId)
    throw new AdminError("conflict", "This clientMessageId was used in another conversation", [
      { field: "clientMessageId", message: "was used in another conversation" },
    ]);
  return { id: found.id, status: found.status };
}

/** @throws AdminError invalid, with the fields as the channel names them */
function readReply({ deps: { channels } }: Context, name: string, reply: NewReply): Content {
  const channel = channels.get(name);
  if (channel === undefined)
    throw new AdminError("conflict", "This conversation's channel is not configured");
  const { type, context } = reply;
  const read = channel.readContent({
    type,
    [type]: reply[type],
    ...(context !== undefined && { context }),
  });
  const named = ["clientMessageId", "type", type, "context"];
  const unknown = Object.keys(reply).filter((field) => !named.includes(field));
  if (read.ok && unknown.length === 0) return read.content;
  const problems = read.ok
    ? unknown.map((field) => ({ field, message: "is not known" }))
    : read.problems.map(({ field, message }) => ({ field: field || "body", message }));
  // What a type needs is known only of one that there is.
  const wrongType = problems.filter(({ field }) => field === "type");
  const details = wrongType.length > 0 ? wrongType : problems;
  throw new AdminError("invalid", "The request is not valid", details);
}

async function queue(
  tx: Tx,
  context: Context,
  ids: { tenantId: string; conversationId: string },
  { channel, address: recipient, optedOut, sender }: Recipient,
  { clientMessageId, content }: { clientMessageId: string; content: Content },
) {
  const isReply = content.type !== MARK_READ;
  if (optedOut && isReply) throw new AdminError("conflict", "This customer wants no more texts");
  if (sender === null) throw new AdminError("conflict", "This tenant has no number to text from");
  const { requestId } = context;
  const { body, segments, type } = content;
  const text = { kind: "reply", body, segments, recipient, content } as const;
  const id = await enqueue(tx, { ...text, ...ids, channel, sender, requestId });
  await tx.$executeRaw`UPDATE "Message" SET "clientMessageId" = ${clientMessageId} WHERE "id" = ${id}::uuid`;
  const { tenantId, conversationId } = ids;
  await audit(tx, context, {
    tenantId,
    action: "message.create",
    target: id,
    changes: { conversationId, type },
  });
  const jobs = isReply ? await takeOver(tx, context, ids) : [];
  return { id, jobs, segments };
}

/** @returns the urgent jobs that are answered by it */
async function takeOver(
  tx: Tx,
  { deps, requestId }: Context,
  { tenantId, conversationId }: { tenantId: string; conversationId: string },
): Promise<AnsweredJob[]> {
  await tx.$executeRaw`
    UPDATE "Conversation" SET "revision" = "revision" + 1, "updatedAt" = now(),
      "humanUntil" = now() + make_interval(hours => ${TAKE_OVER_HOURS})
    WHERE "id" = ${conversationId}::uuid`;
  const jobs = await tx.$queryRaw<AnsweredJob[]>`
    UPDATE "Job" SET "answeredAt" = now()
    WHERE "conversationId" = ${conversationId}::uuid AND "status" = 'URGENT' AND "answeredAt" IS NULL
    RETURNING "id"::text, "founderToldAt" IS NOT NULL AS "founderTold"`;
  // A timer, so that the founder's alert ends if and only if this commits.
  for (const job of jobs)
    if (job.founderTold)
      await deps.timers.schedule(
        tx,
        "urgent_job_founder",
        { tenantId, jobId: job.id, requestId },
        0,
      );
  return jobs;
}
