import type { Database } from "@jobrun/db";

/** What waits or is stuck in the message table. Ages are in seconds, 0 when there is none. */
export interface OutboxState {
  queued: number;
  sending: number;
  unknown: number;
  dead: number;
  /** As `dead` without the founder's own texts: an alert about an alert would never end. */
  deadApartFromAlerts: number;
  oldestSeconds: number;
  oldestUnknownSeconds: number;
  deferred: number;
  oldestDeferredSeconds: number;
  /** Refusals of our account that hold texts back. */
  stops: number;
}

/** Reads it in one statement whose conditions are those of the partial indexes, each a small set. */
export async function readOutbox(db: Database, now: Date): Promise<OutboxState> {
  const at = now.toISOString();
  const [row] = await db.service.$queryRaw<OutboxState[]>`
    WITH pending AS (
      SELECT "status", "kind",
             greatest(0, extract(epoch FROM ${at}::timestamptz - "createdAt"))::float8 AS age,
             greatest(0, extract(epoch FROM ${at}::timestamptz - coalesce("unknownSince", "leasedUntil")))::float8 AS "unknownAge"
        FROM "Message"
       WHERE "status" = 'QUEUED' OR "status" = 'SENDING' OR "status" IN ('UNKNOWN', 'DEAD')
          OR "status" = 'DEFERRED'
    )
    SELECT count(*) FILTER (WHERE "status" = 'QUEUED')::int AS "queued",
           count(*) FILTER (WHERE "status" = 'SENDING')::int AS "sending",
           count(*) FILTER (WHERE "status" = 'UNKNOWN')::int AS "unknown",
           count(*) FILTER (WHERE "status" = 'DEAD')::int AS "dead",
           count(*) FILTER (WHERE "status" = 'DEAD' AND "kind" <> 'founder_alert')::int AS "deadApartFromAlerts",
           coalesce(max(age) FILTER (WHERE "status" IN ('QUEUED', 'SENDING')), 0) AS "oldestSeconds",
           coalesce(max("unknownAge") FILTER (WHERE "kind" <> 'founder_alert' AND "status" IN ('UNKNOWN', 'SENDING')), 0)
             AS "oldestUnknownSeconds",
           count(*) FILTER (WHERE "status" = 'DEFERRED')::int AS "deferred",
           coalesce(max(age) FILTER (WHERE "status" = 'DEFERRED'), 0) AS "oldestDeferredSeconds",
           (SELECT count(*) FROM "ChannelStop")::int AS "stops"
      FROM pending`;
  if (row === undefined) throw new Error("an aggregate without GROUP BY returned no row");
  return row;
}
