import type { Database } from "@jobrun/db";

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
  attempts: number;
}

/** Longer than one send may take with its retries in memory (dispatch.ts). */
export const LEASE_SECONDS = 30;

/**
 * Claims up to `limit` texts that are due, and counts the attempt before anything is sent. Within a
 * conversation only the oldest unsent text can be claimed, so texts leave in the order they were committed.
 */
export async function claimMessages(db: Database, limit: number): Promise<ClaimedMessage[]> {
  return db.service.$queryRaw<ClaimedMessage[]>`
    UPDATE "Message" m
    SET "status" = 'SENDING', "attempts" = m."attempts" + 1, "leasedUntil" = now() + make_interval(secs => ${LEASE_SECONDS})
    FROM (
      SELECT q."id" FROM "Message" q
      WHERE q."status" = 'QUEUED' AND q."dueAt" <= now() AND NOT EXISTS (
        SELECT 1 FROM "Message" before
        WHERE before."conversationId" = q."conversationId" AND before."position" < q."position"
          AND before."status" IN ('QUEUED', 'SENDING'))
      ORDER BY q."dueAt", q."position" LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ) due
    WHERE m."id" = due."id"
    RETURNING m."id", m."clientId" AS "tenantId", m."conversationId", m."requestId", m."channel", m."kind",
      m."sender", m."recipient", m."body", m."attempts"`;
}

/**
 * A lease that ended without an outcome: its process died, or the database was away when the outcome
 * came. The text may or may not have left, so it is UNKNOWN and not sent again blindly.
 */
export async function expireLeases(
  db: Database,
): Promise<{ id: string; requestId: string | null }[]> {
  return db.service.$queryRaw<{ id: string; requestId: string | null }[]>`
    UPDATE "Message" SET "status" = 'UNKNOWN', "errorCode" = 'lease-expired', "leasedUntil" = NULL
    WHERE "status" = 'SENDING' AND "leasedUntil" < now() RETURNING "id", "requestId"`;
}
