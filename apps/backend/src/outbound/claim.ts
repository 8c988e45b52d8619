import { Prisma, type Database } from "@jobrun/db";

/** A row of the outbox that this process may send until its lease ends. */
export interface ClaimedMessage {
  id: string;
  tenantId: string | null;
  conversationId: string | null;
  requestId: string | null;
  channel: string;
  kind: string;
  sender: string;
  recipient: string;
  body: string;
  type: string;
  payload: unknown;
  /** When the customer of its conversation last wrote; null outside a conversation, or when they never did. */
  lastInboundAt: Date | null;
  segments: number;
  attempts: number;
  failures: number;
  /** Seconds it is still worth sending; null: for ever. */
  lifeSeconds: number | null;
}

/** The columns of a ClaimedMessage, of the row `m`. */
export const claimedColumns = Prisma.sql`m."id", m."clientId" AS "tenantId", m."conversationId", m."requestId",
  m."channel", m."kind", m."sender", m."recipient", m."body", m."type", m."payload",
  (SELECT v."lastInboundAt" FROM "Conversation" v WHERE v."id" = m."conversationId") AS "lastInboundAt",
  m."segments", m."attempts", m."failures",
  extract(epoch FROM m."expiresAt" - now())::float8 AS "lifeSeconds"`;

/** Nothing of the same conversation before the row `q` is unsettled. A campaign that waits holds up no reply. */
export const IS_NEXT = Prisma.sql`NOT EXISTS (SELECT 1 FROM "Message" before
  WHERE before."conversationId" = q."conversationId" AND before."position" < q."position"
    AND before."status" IN ('QUEUED', 'SENDING', 'UNKNOWN')
    AND NOT (before."status" = 'QUEUED' AND before."kind" = 'campaign' AND q."kind" <> 'campaign'))`;

/** The row `q` is still worth sending. What its customer wants is asked again: it may have waited for hours. */
export const IS_WANTED = Prisma.sql`(q."expiresAt" IS NULL OR q."expiresAt" > now())
  AND (q."kind" = 'opt_out_confirmation' OR q."type" = 'mark_read' OR NOT EXISTS (SELECT 1 FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId"
    WHERE v."id" = q."conversationId"
      AND (c."optedOutAt" IS NOT NULL OR q."kind" = 'campaign' AND c."marketingOptedOutAt" IS NOT NULL)))`;

/** The row `q` of the sender `s` may be sent now. */
const MAY_GO = Prisma.sql`q."status" = 'QUEUED' AND q."sender" = s."number" AND q."dueAt" <= now()
  AND q."channel" = ANY(s."channels") AND ${IS_WANTED} AND ${IS_NEXT}
  AND NOT EXISTS (SELECT 1 FROM "ChannelStop" stop
    WHERE stop."channel" = q."channel" AND stop."sender" IN ('', q."sender")
      AND (stop."recipientPrefix" <> '' OR stop."kind" <> '')
      AND starts_with(q."recipient", stop."recipientPrefix") AND stop."kind" IN ('', q."kind"))`;

/** What may be claimed now. */
export interface ClaimLimits {
  count: number;
  channels: string[];
  /** Most texts of one tenant under way at once, and how many are, by tenant id ("" for the gateway's own). */
  perTenant: number;
  underWay: Record<string, number>;
  /** Segments a sender may send now: `left` of those that have used some of their channel's burst. */
  room: { bursts: Record<string, number>; left: Record<string, number> };
  leaseMs: number;
}

/**
 * Claims texts that are due, and counts the attempt before anything is sent.
 *
 * Within a conversation only the oldest text that is not settled can be claimed, so texts leave in
 * the order they were committed. Senders are looked at one by one (a loose index scan), and only
 * those with the most pressing texts in depth, so that the backlog of one costs the others nothing.
 */
export async function claimMessages(db: Database, limits: ClaimLimits): Promise<ClaimedMessage[]> {
  const { count, channels, perTenant, leaseMs } = limits;
  const underWay = JSON.stringify(limits.underWay);
  const bursts = JSON.stringify(limits.room.bursts);
  const left = JSON.stringify(limits.room.left);
  return db.service.$queryRaw<ClaimedMessage[]>`
    WITH RECURSIVE sender AS (
      (SELECT "sender" AS "number" FROM "Message" WHERE "status" = 'QUEUED' ORDER BY "sender" LIMIT 1)
      UNION ALL
      SELECT (SELECT m."sender" FROM "Message" m
              WHERE m."status" = 'QUEUED' AND m."sender" > s."number" ORDER BY m."sender" LIMIT 1)
      FROM sender s WHERE s."number" IS NOT NULL
    ), open AS (
      SELECT s."number", ARRAY(SELECT c FROM unnest(${channels}::text[]) c WHERE NOT EXISTS (
        SELECT 1 FROM "ChannelStop" stop WHERE stop."channel" = c AND stop."sender" IN ('', s."number")
          AND stop."recipientPrefix" = '' AND stop."kind" = '')) AS "channels"
      FROM sender s
      WHERE s."number" IS NOT NULL AND COALESCE((${left}::jsonb ->> s."number")::float8, 1) > 0
    ), head AS (
      SELECT s.* FROM open s CROSS JOIN LATERAL (
        SELECT q."priority", q."dueAt", q."position" FROM "Message" q
        WHERE ${MAY_GO} AND COALESCE((${underWay}::jsonb ->> COALESCE(q."clientId"::text, ''))::int, 0) < ${perTenant}
        ORDER BY q."priority", q."dueAt", q."position" LIMIT 1) first
      WHERE cardinality(s."channels") > 0
      ORDER BY first."priority", first."dueAt", first."position" LIMIT ${count}
    ), due AS (
      SELECT q.* FROM head s CROSS JOIN LATERAL (
        SELECT q."id", q."clientId", q."channel", q."sender", q."segments", q."priority", q."dueAt", q."position" FROM "Message" q
        WHERE ${MAY_GO}
        ORDER BY q."priority", q."dueAt", q."position" LIMIT ${Math.min(perTenant, count)} FOR UPDATE SKIP LOCKED
      ) q
    ), ranked AS (
      SELECT due.*,
        row_number() OVER (PARTITION BY "clientId" ORDER BY "priority", "dueAt", "position")
          + COALESCE((${underWay}::jsonb ->> COALESCE("clientId"::text, ''))::int, 0) AS "ofTenant",
        sum("segments") OVER (PARTITION BY "sender" ORDER BY "priority", "dueAt", "position") - "segments" AS "segmentsAhead"
      FROM due
    )
    UPDATE "Message" m
    SET "status" = 'SENDING', "attempts" = m."attempts" + 1,
      "leasedUntil" = now() + ${leaseMs}::int * interval '1 millisecond'
    FROM (
      SELECT "id" FROM ranked
      WHERE "ofTenant" <= ${perTenant}
        AND "segmentsAhead" < COALESCE((${left}::jsonb ->> "sender")::float8, (${bursts}::jsonb ->> "channel")::float8)
      ORDER BY "priority", "dueAt", "position" LIMIT ${count}
    ) chosen
    WHERE m."id" = chosen."id" AND m."status" = 'QUEUED'
    RETURNING ${claimedColumns}`;
}

interface UnknownMessage {
  id: string;
  requestId: string | null;
}

/**
 * A lease that ended without an outcome: its process died, or the database was away when the outcome
 * came. The text may or may not have left, so it is UNKNOWN and not sent again blindly.
 */
export async function expireLeases(db: Database, lookUpAfterMs: number): Promise<UnknownMessage[]> {
  return db.service.$queryRaw<UnknownMessage[]>`
    UPDATE "Message" SET "status" = 'UNKNOWN', "errorCode" = 'lease-expired', "leasedUntil" = NULL,
      "unknownSince" = now(), "dueAt" = now() + ${lookUpAfterMs}::int * interval '1 millisecond'
    WHERE "status" = 'SENDING' AND "leasedUntil" < now() RETURNING "id", "requestId"`;
}

interface UnwantedMessage {
  id: string;
  requestId: string | null;
  code: "expired" | "opted-out";
}

/**
 * Texts that nobody wants any more, FAILED instead of sent: their life is over, or they were queued
 * again after their customer had opted out.
 */
export async function dropUnwanted(db: Database): Promise<UnwantedMessage[]> {
  return db.service.$queryRaw<UnwantedMessage[]>`
    WITH unwanted AS (
      SELECT "id", 'expired' AS "code" FROM "Message" WHERE "status" = 'QUEUED' AND "expiresAt" <= now()
      UNION
      SELECT m."id", 'opted-out' FROM "Customer" c
      JOIN "Conversation" v ON v."customerId" = c."id" JOIN "Message" m ON m."conversationId" = v."id"
      WHERE c."optedOutAt" > now() - ${REMEMBERED_DAYS}::int * interval '1 day' AND m."status" = 'QUEUED'
        AND m."kind" <> 'opt_out_confirmation' AND m."type" <> 'mark_read'
      UNION
      SELECT m."id", 'opted-out' FROM "Customer" c
      JOIN "Conversation" v ON v."customerId" = c."id" JOIN "Message" m ON m."conversationId" = v."id"
      WHERE c."marketingOptedOutAt" > now() - ${REMEMBERED_DAYS}::int * interval '1 day' AND m."status" = 'QUEUED'
        AND m."kind" = 'campaign'
    )
    UPDATE "Message" m SET "status" = 'FAILED', "errorCode" = unwanted."code" FROM unwanted
    WHERE m."id" = unwanted."id" AND m."status" = 'QUEUED' RETURNING m."id", m."requestId", m."errorCode" AS "code"`;
}

/** The retry schedule ends within a day; a text that is replayed later is still never claimed. */
const REMEMBERED_DAYS = 2;
