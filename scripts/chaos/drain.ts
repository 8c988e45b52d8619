import type pg from "pg";
import { pause } from "./storm.ts";

export interface Unsettled {
  /** Rows that are not at an end, and texts that are not stored. */
  count: number;
  /** In words, for a progress line. */
  words: string;
}

const POLL_MS = 500;

/** What still has to happen before all is quiet. */
export async function unsettled(database: pg.Pool, sids: string[]): Promise<Unsettled> {
  const { rows } = await database.query<{ status: string; count: number }>(
    `SELECT "status"::text, count(*)::int AS "count" FROM "Message"
     WHERE "status" IN ('QUEUED', 'SENDING', 'UNKNOWN', 'DEFERRED') GROUP BY 1 ORDER BY 1`,
  );
  const stored = await database.query<{ count: number }>(
    `SELECT count(*)::int AS "count" FROM "Message" WHERE "direction" = 'INBOUND'`,
  );
  const missing = sids.length - (stored.rows[0]?.count ?? 0);
  const parts = rows.map(({ status, count }) => `${count} ${status}`);
  if (missing > 0) parts.push(`${missing} not stored`);
  return {
    count: rows.reduce((sum, { count }) => sum + count, missing),
    words: parts.join(", ") || "all settled",
  };
}

/** Resolves when nothing is unsettled, after `limitMs`, or when `signal` is aborted. */
export async function drain(
  database: pg.Pool,
  sids: string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (performance.now() < end && !signal.aborted) {
    if ((await unsettled(database, sids)).count === 0) return;
    await pause(POLL_MS, signal);
  }
}
