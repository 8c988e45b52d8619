import { newId, type Database } from "@jobrun/db";
import type { InboundMessage } from "@jobrun/messaging";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { Events } from "../telemetry/events.ts";
import { customerTexts } from "../texts/customer-texts.ts";

/**
 * Keeps what nobody can be answered for, because it does not say from or to whom it is.
 *
 * @throws when it could not be stored
 */
export async function storeUnroutable(
  db: Database,
  item: { providerMessageId: string; sender: string; receiver: string; payload: unknown },
): Promise<"stored" | "duplicate"> {
  const stored = await db.service.$executeRaw`
    INSERT INTO "UnroutedMessage" ("id", "providerMessageId", "sender", "recipient", "body", "payload")
    VALUES (${newId()}::uuid, ${item.providerMessageId}, ${item.sender}, ${item.receiver}, '',
      ${JSON.stringify(item.payload)}::jsonb)
    ON CONFLICT DO NOTHING`;
  return stored === 1 ? "stored" : "duplicate";
}

/**
 * Stores a text to a number that belongs to no tenant, outside tenants, customers and conversations,
 * and queues the generic answer: at most one per sender and hour.
 *
 * @param answers false for a text that must not be answered at all
 * @throws when nothing could be stored
 */
export async function storeUnrouted(
  { db, events }: { db: Database; events: Events },
  message: InboundMessage,
  requestId: string,
  answers = true,
): Promise<"stored" | "duplicate"> {
  const reply = outboxText("unrouted_reply", customerTexts.holding.en, message.from);
  const result = await db.serviceTransaction(async (tx) => {
    // One sender at a time: two texts at once must not both find that nothing was answered in the last hour.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`unrouted ${message.from}`}, 0))`;
    const [stored] = await tx.$queryRaw<{ answered: boolean }[]>`
      INSERT INTO "UnroutedMessage" ("id", "providerMessageId", "sender", "recipient", "body", "payload", "answered")
      SELECT ${newId()}::uuid, ${message.providerMessageId}, ${message.from}, ${message.to}, ${message.body},
        ${message.payload === undefined ? null : JSON.stringify(message.payload)}::jsonb,
        ${answers} AND NOT EXISTS (SELECT 1 FROM "UnroutedMessage"
          WHERE "sender" = ${message.from} AND "answered" AND "receivedAt" > now() - interval '1 hour')
      ON CONFLICT DO NOTHING RETURNING "answered"`;
    if (stored === undefined) return null;
    if (!stored.answered) return { messageId: null };
    const { channel, to: sender } = message;
    return {
      messageId: await enqueue(tx, { ...reply, tenantId: null, channel, sender, requestId }),
    };
  });
  if (result === null) return "duplicate";
  const { messageId } = result;
  const { kind, segments } = reply;
  if (messageId !== null) events.emit("message_queued", { requestId, messageId, kind, segments });
  return "stored";
}
