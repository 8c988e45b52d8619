import type { Database } from "@jobrun/db";
import { enqueue, type OutboxText } from "../outbound/enqueue.ts";

/** The holding text of a conversation, and by which number of ours it is said. */
export interface HoldingText extends OutboxText {
  tenantId: string;
  conversationId: string;
  channel: string;
  sender: string;
  requestId: string;
}

/**
 * Queues the holding text of a conversation in which texts wait, unless it was queued since the oldest
 * of them came.
 *
 * Others may be about to say the same: each looks only after it has the conversation's lock, and
 * `holdWaiting`, which has looked before, leaves alone what has another revision by then.
 *
 * @returns the message's id; null when nothing waits any more or it was said
 */
export async function holdAtOnce(db: Database, text: HoldingText): Promise<string | null> {
  const { tenantId, conversationId } = text;
  return db.tenantTransaction(tenantId, async (tx) => {
    await tx.$executeRaw`SELECT 1 FROM "Conversation" WHERE "id" = ${conversationId}::uuid FOR NO KEY UPDATE`;
    const raised = await tx.$executeRaw`
      UPDATE "Conversation" SET "revision" = "revision" + 1 FROM (
        SELECT "position" FROM "Message"
        WHERE "conversationId" = ${conversationId}::uuid AND "status" = 'DEFERRED' AND "kind" <> 'silent'
        ORDER BY "position" LIMIT 1) oldest
      WHERE "id" = ${conversationId}::uuid AND NOT EXISTS (SELECT 1 FROM "Message" h
        WHERE h."conversationId" = ${conversationId}::uuid AND h."position" > oldest."position" AND h."kind" = 'holding')`;
    return raised === 0 ? null : enqueue(tx, text);
  });
}
