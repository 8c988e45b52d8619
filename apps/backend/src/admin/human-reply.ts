import { Prisma, type Tx } from "@jobrun/db";
import { prepareSmsText } from "@jobrun/messaging";
import { z } from "zod";
import { senderOf } from "../jobs/sender-of.ts";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { TAKE_OVER_HOURS } from "./conversations.ts";
import type { messageStatus } from "./fields.ts";
import { inTenantOf } from "./in-tenant.ts";
import type { Context } from "./route.ts";

export const newReply = z
  .strictObject({
    clientMessageId: z
      .string()
      .min(1)
      .max(128)
      .meta({ description: "Yours, unique within the tenant: a repeated request sends nothing" }),
    type: z.literal("text"),
    text: z.strictObject({
      body: z
        .string()
        .refine((body) => prepareSmsText(body).text.trim() !== "", "must not be empty")
        .refine((body) => !wouldBeCut(body), "must fit into 3 SMS segments"),
    }),
  })
  .meta({ id: "NewReply" });

interface ReplyState {
  id: string;
  status: z.infer<typeof messageStatus>;
  /** False when the clientMessageId was used before */
  isNew: boolean;
}

interface Recipient {
  channel: string;
  phone: string;
  optedOut: boolean;
  sender: string | null;
}

/** An urgent job that this reply answers. */
interface AnsweredJob {
  id: string;
  founderTold: boolean;
}

/**
 * Queues a person's own words to a customer, once per clientMessageId, after all that is queued in
 * the conversation. As an operator's REPLY it keeps the assistant out, goes also while answers are
 * paused, and answers an urgent job without taking it.
 *
 * @throws AdminError not_found, or conflict when the customer wants no texts
 */
export async function humanReply(
  context: Context,
  conversationId: string,
  { clientMessageId, text: { body } }: z.output<typeof newReply>,
): Promise<ReplyState> {
  const { deps, requestId } = context;
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
      const queued = await queue(tx, context, tenant, conversationId, recipient, {
        clientMessageId,
        body,
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
    SELECT v."channel", c."phone", c."optedOutAt" IS NOT NULL AS "optedOut", ${senderOf(Prisma.sql`v`)} AS "sender"
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

async function queue(
  tx: Tx,
  context: Context,
  tenantId: string,
  conversationId: string,
  { channel, phone, optedOut, sender }: Recipient,
  { clientMessageId, body }: { clientMessageId: string; body: string },
) {
  if (optedOut) throw new AdminError("conflict", "This customer wants no more texts");
  if (sender === null) throw new AdminError("conflict", "This tenant has no number to text from");
  const { requestId, deps } = context;
  await tx.$executeRaw`
    UPDATE "Conversation" SET "revision" = "revision" + 1, "updatedAt" = now(),
      "humanUntil" = now() + make_interval(hours => ${TAKE_OVER_HOURS})
    WHERE "id" = ${conversationId}::uuid`;
  const text = outboxText("reply", body, phone);
  const id = await enqueue(tx, { ...text, tenantId, conversationId, channel, sender, requestId });
  await tx.$executeRaw`UPDATE "Message" SET "clientMessageId" = ${clientMessageId} WHERE "id" = ${id}::uuid`;
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
  await audit(tx, context, {
    tenantId,
    action: "message.create",
    target: id,
    changes: { conversationId },
  });
  return { id, jobs, segments: text.segments };
}

/** A text that is cut ends in dots of ours; its own are no loss. */
function wouldBeCut(body: string): boolean {
  const words = body.replace(/[\s.…]+$/u, "");
  return prepareSmsText(words).text.endsWith("...");
}
