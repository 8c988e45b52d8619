import { Prisma, type Database } from "@jobrun/db";

/** A conversation whose deferred texts are this process's to answer until its lease ends. */
export interface ClaimedConversation {
  tenantId: string;
  channel: string;
  /** Where an answer goes */
  customer: string;
  phone: string | null;
  userId: string | null;
  /** What the provider calls the number of ours that was texted */
  texted: string;
  /** Of the oldest of the texts, as is `requestId` */
  providerMessageId: string;
  requestId: string;
  /** The texts that the lease covers */
  messageIds: string[];
  /** Claims so far, this one included */
  attempts: number;
  leasedUntil: Date;
}

export interface ClaimLimits {
  /** Most conversations to claim, at least one */
  count: number;
  /** Most conversations of one tenant in work at once, and how many are, by tenant id */
  perTenant: number;
  underWay: Record<string, number>;
  leaseMs: number;
}

/** Texts looked at per conversation that may be claimed: people send a few in a row. */
const DEPTH = 4;
const LEAST_DEPTH = 100;

/** SQL: somebody has leased texts of the conversation of the row `m`. */
const IS_LEASED = Prisma.sql`EXISTS (SELECT 1 FROM "Message" l WHERE l."conversationId" = m."conversationId"
  AND l."status" = 'DEFERRED' AND l."leasedUntil" > now())`;

/**
 * Claims conversations with a deferred text that is due: all of their deferred texts, or none.
 *
 * Whoever claims a conversation has locked its oldest deferred text, and looks again at what it has
 * locked, so two processes never claim the same. What is locked is skipped, so no claim ever waits.
 */
export async function claimDeferred(
  db: Database,
  { count, perTenant, underWay, leaseMs }: ClaimLimits,
): Promise<ClaimedConversation[]> {
  const full = Object.keys(underWay).filter((tenant) => (underWay[tenant] ?? 0) >= perTenant);
  const lease = Prisma.sql`now() + ${leaseMs}::int * interval '1 millisecond'`;
  return db.service.$queryRaw<ClaimedConversation[]>`
    WITH due AS MATERIALIZED (
      SELECT m."conversationId", m."clientId", m."dueAt" FROM "Message" m
      WHERE m."status" = 'DEFERRED' AND m."dueAt" <= now() AND m."createdAt" > now() - interval '24 hours'
        AND m."clientId" <> ALL(${full}::uuid[]) AND NOT ${IS_LEASED}
      ORDER BY m."dueAt" LIMIT ${Math.max(LEAST_DEPTH, count * DEPTH)}
    ), ranked AS (
      SELECT "conversationId", min("dueAt") AS "dueAt", row_number() OVER (PARTITION BY "clientId" ORDER BY min("dueAt"))
        + COALESCE((${JSON.stringify(underWay)}::jsonb ->> "clientId"::text)::int, 0) AS "ofTenant"
      FROM due GROUP BY "conversationId", "clientId"
    ), chosen AS MATERIALIZED (
      SELECT r."conversationId", (SELECT h."id" FROM "Message" h WHERE h."conversationId" = r."conversationId"
        AND h."status" = 'DEFERRED' ORDER BY h."position" LIMIT 1) AS "head"
      FROM ranked r WHERE r."ofTenant" <= ${perTenant} ORDER BY r."dueAt" LIMIT ${count}
    ), locked AS MATERIALIZED (
      SELECT m."id", c."head" FROM chosen c JOIN "Message" m ON m."conversationId" = c."conversationId"
      WHERE m."status" = 'DEFERRED' AND (m."leasedUntil" IS NULL OR m."leasedUntil" <= now())
      FOR NO KEY UPDATE OF m SKIP LOCKED
    ), claimed AS (
      UPDATE "Message" m SET "attempts" = m."attempts" + 1, "leasedUntil" = ${lease}, "dueAt" = ${lease}
      FROM locked WHERE m."id" = locked."id" AND locked."head" IN (SELECT "id" FROM locked)
      RETURNING m.*
    ), oldest AS (
      SELECT DISTINCT ON ("conversationId") * FROM claimed ORDER BY "conversationId", "position"
    )
    SELECT m."clientId" AS "tenantId", m."channel", m."sender" AS "customer", c."phone", c."userId",
      m."recipient" AS "texted", m."providerMessageId", m."requestId", m."leasedUntil", own."messageIds", own."attempts"
    FROM oldest m JOIN "Conversation" v ON v."id" = m."conversationId" JOIN "Customer" c ON c."id" = v."customerId"
    CROSS JOIN LATERAL (SELECT array_agg(o."id"::text) AS "messageIds", max(o."attempts") AS "attempts"
      FROM claimed o WHERE o."conversationId" = m."conversationId") own`;
}

const FIRST_WAIT_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 300;
/** Past so many doublings every wait is the longest. */
const MOST_DOUBLINGS = 6;

/** Ends the lease of texts that a turn could not answer. Their next try is 5 s later, then 10 s, … 5 min. */
export async function returnDeferred(
  db: Database,
  {
    messageIds,
    attempts,
    leasedUntil,
  }: Pick<ClaimedConversation, "messageIds" | "attempts" | "leasedUntil">,
): Promise<void> {
  const doublings = Math.min(attempts - 1, MOST_DOUBLINGS);
  const seconds = Math.min(FIRST_WAIT_SECONDS * 2 ** doublings, LONGEST_WAIT_SECONDS);
  // A lease that has ended may be another process's by now.
  await db.service.$executeRaw`
    UPDATE "Message" SET "leasedUntil" = NULL, "dueAt" = now() + make_interval(secs => ${seconds})
    WHERE "id" = ANY(${messageIds}::uuid[]) AND "status" = 'DEFERRED' AND "leasedUntil" = ${leasedUntil}`;
}
