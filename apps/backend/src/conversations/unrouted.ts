import { newId, type Database } from "@jobrun/db";
import type { InboundMessage } from "@jobrun/messaging";
import { customerTexts } from "./customer-texts.ts";
import { enqueue, outboxText } from "../outbound/enqueue.ts";

/**
 * Stores a text to a number that belongs to no tenant, outside tenants, customers and conversations,
 * and queues the generic answer: at most one per sender and hour.
 *
 * @throws when nothing could be stored
 */
export async function storeUnrouted(
  db: Database,
  message: InboundMessage,
  requestId: string,
): Promise<"stored" | "duplicate"> {
  const reply = outboxText("unrouted_reply", customerTexts.holding.en, message.from);
  return db.serviceTransaction(async (tx) => {
    // One sender at a time: two texts at once must not both find that nothing was answered in the last hour.
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`unrouted ${message.from}`}, 0))`;
    const [stored] = await tx.$queryRaw<{ answered: boolean }[]>`
      INSERT INTO "UnroutedMessage" ("id", "twilioSid", "sender", "recipient", "body", "answered")
      SELECT ${newId()}::uuid, ${message.providerMessageId}, ${message.from}, ${message.to}, ${message.body},
        NOT EXISTS (SELECT 1 FROM "UnroutedMessage"
          WHERE "sender" = ${message.from} AND "answered" AND "receivedAt" > now() - interval '1 hour')
      ON CONFLICT DO NOTHING RETURNING "answered"`;
    if (stored === undefined) return "duplicate";
    if (stored.answered)
      await enqueue(tx, {
        ...reply,
        tenantId: null,
        channel: message.channel,
        sender: message.to,
        requestId,
      });
    return "stored";
  });
}
