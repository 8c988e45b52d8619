import { Prisma, type Database } from "@jobrun/db";
import type { Stop } from "./describe-stop.ts";

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
  /** Refusals of our account that hold texts back, oldest first. Those of campaigns alone have an alert of their own. */
  stops: Stop[];
  /** Outside their channel's window: they wait for their customers. Those of the last 7 days; older ones nobody awaits. */
  held: number;
}

/**
 * Reads it by the partial indexes, each of which is a small set. Under row-level security the planner
 * does not know how few texts have one of these statuses, and would rather read all texts there are.
 */
export async function readOutbox(db: Database, now: Date): Promise<OutboxState> {
  const [row] = await db.serviceTransaction(async (tx) => {
    await tx.$executeRaw`SET LOCAL enable_seqscan = off`;
    return tx.$queryRaw<OutboxState[]>(stateAt(now.toISOString()));
  });
  if (row === undefined) throw new Error("an aggregate without GROUP BY returned no row");
  return row;
}

/** A branch per index: of several conditions in one, the planner finds no index. */
const STATUSES = ["'QUEUED'", "'SENDING'", "'UNKNOWN'", "'DEAD'", "'DEFERRED'", "'HELD'"];

function stateAt(at: string): Prisma.Sql {
  const branches = STATUSES.map(
    (status) => Prisma.sql`
      SELECT "status", "kind", greatest(0, extract(epoch FROM ${at}::timestamptz - "createdAt"))::float8 AS age,
        greatest(0, extract(epoch FROM ${at}::timestamptz - coalesce("unknownSince", "leasedUntil")))::float8 AS "unknownAge"
      FROM "Message" WHERE "status" = ${Prisma.raw(status)}`,
  );
  return Prisma.sql`
    WITH pending AS (${Prisma.join(branches, " UNION ALL ")})
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
           (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s."stoppedAt"), '[]') FROM "ChannelStop" s WHERE s."kind" = '')
             AS "stops",
           count(*) FILTER (WHERE "status" = 'HELD' AND age < 7 * 86400)::int AS "held"
      FROM pending`;
}
