import type { Database, Tx } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { DeliveryTimings } from "../outbound/timings.ts";
import type { Events } from "../telemetry/events.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import type { Locale } from "../texts/fill.ts";

interface HoldDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  events: Events;
  timings: Pick<DeliveryTimings, "holdingAfterMs">;
}

interface Waiting {
  tenantId: string;
  conversationId: string;
  channel: string;
  customer: string;
  texted: string;
  requestId: string;
  locale: Locale;
}

const BATCH = 50;

/** One process at a time, so that no two of them tell the same customer. */
const LOCK = 4_417_002;

/**
 * Queues the holding text of conversations whose oldest unanswered text has waited too long, once as
 * long as they wait. Nothing is said where nothing may be: to those who opted out, while the tenant
 * is paused, and while a person writes with the customer.
 *
 * @returns how many were queued
 */
export async function holdWaiting({ db, channels, events, timings }: HoldDeps): Promise<number> {
  const afterMs = timings.holdingAfterMs;
  const queued = await db.serviceTransaction(async (tx) => {
    // Under row-level security the planner does not know how few texts are deferred: it would read all there are.
    await tx.$executeRaw`SET LOCAL enable_seqscan = off`;
    const [{ late } = { late: false }] = await tx.$queryRaw<{ late: boolean }[]>`
      SELECT EXISTS (SELECT 1 FROM "Message" WHERE "status" = 'DEFERRED'
        AND "createdAt" <= now() - ${afterMs}::int * interval '1 millisecond') AS "late"`;
    if (!late) return [];
    const told = [];
    for (const conversation of await lockWaiting(tx, [...channels.keys()], afterMs)) {
      const { tenantId, conversationId, channel, customer, texted, requestId, locale } =
        conversation;
      const fitText = channels.get(channel)?.fitText;
      const text = outboxText("holding", customerTexts.holding[locale], customer, fitText);
      const row = { ...text, tenantId, channel, sender: texted, requestId, conversationId };
      const messageId = await enqueue(tx, row);
      const { kind, segments } = text;
      told.push({ requestId, tenantId, conversationId, messageId, kind, segments });
    }
    return told;
  });
  for (const text of queued) events.emit("message_queued", text);
  return queued.length;
}

/**
 * Locks the conversations to hold, which gives their texts a place in the order of commits. Their
 * revision stays: a turn in work has nothing to plan anew. But one that was committed since this
 * statement began has answered, and its revision differs.
 */
async function lockWaiting(tx: Tx, channels: string[], afterMs: number): Promise<Waiting[]> {
  const [{ locked } = { locked: false }] = await tx.$queryRaw<{ locked: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(${LOCK}::bigint) AS "locked"`;
  if (!locked) return [];
  return tx.$queryRaw<Waiting[]>`
    WITH oldest AS MATERIALIZED (
      SELECT DISTINCT ON (m."conversationId") m."conversationId", m."channel", m."sender" AS "customer",
        m."recipient" AS "texted", m."requestId", m."position", m."createdAt"
      FROM "Message" m WHERE m."status" = 'DEFERRED' AND m."kind" <> 'silent' AND m."createdAt" > now() - interval '24 hours'
      ORDER BY m."conversationId", m."position"
    ), waiting AS MATERIALIZED (
      SELECT o.*, v."revision", v."clientId" AS "tenantId", t."locale" FROM oldest o
      JOIN "Conversation" v ON v."id" = o."conversationId"
      JOIN "Client" t ON t."id" = v."clientId" JOIN "Customer" c ON c."id" = v."customerId"
      WHERE o."createdAt" <= now() - ${afterMs}::int * interval '1 millisecond' AND o."channel" = ANY(${channels})
        AND NOT t."outboundPaused" AND c."optedOutAt" IS NULL AND COALESCE(v."humanUntil" <= now(), true)
        AND NOT EXISTS (SELECT 1 FROM "Message" h WHERE h."conversationId" = o."conversationId"
          AND h."position" > o."position" AND h."kind" = 'holding')
      ORDER BY o."createdAt" LIMIT ${BATCH}
    )
    SELECT w."tenantId", w."conversationId", w."channel", w."customer", w."texted", w."requestId", w."locale"
    FROM waiting w JOIN "Conversation" v ON v."id" = w."conversationId" AND v."revision" = w."revision"
    FOR NO KEY UPDATE OF v SKIP LOCKED`;
}
