import type { Database } from "@jobrun/db";

/** Longest one sweep may take, seconds: past it another process may begin one. */
export const LEASE_SECONDS = 120;

export interface SweepClaim {
  /** Everything that the provider received before this is stored; milliseconds since the epoch */
  watermark: number;
  /** By the clock that all processes share, that of the database */
  now: number;
  /** When a process last compared the logs completely */
  lastRunAt: number | null;
}

/**
 * Takes the right to sweep, which one process at a time has. The first claim ever sets the watermark
 * to `now`, so that what an account received long before it had a gateway is not answered.
 *
 * @param now milliseconds since the epoch
 * @returns null while another process has it
 */
export async function claimSweep(
  db: Database,
  provider: string,
  now: number,
): Promise<SweepClaim | null> {
  const [claim] = await db.service.$queryRaw<SweepClaim[]>`
    INSERT INTO "SweepState" ("provider", "watermark", "claimedUntil")
    VALUES (${provider}, LEAST(now(), ${iso(now)}::timestamptz), now() + make_interval(secs => ${LEASE_SECONDS}))
    ON CONFLICT ("provider") DO UPDATE SET "claimedUntil" = EXCLUDED."claimedUntil"
      WHERE "SweepState"."claimedUntil" <= now()
    RETURNING (extract(epoch FROM "watermark") * 1000)::float8 AS "watermark",
      (extract(epoch FROM now()) * 1000)::float8 AS "now", (extract(epoch FROM "lastRunAt") * 1000)::float8 AS "lastRunAt"`;
  return claim ?? null;
}

export interface SweepRecord {
  /** Until this long after the claim no process sweeps again */
  spacingSeconds: number;
  /** Stored by this sweep */
  recovered: number;
  /** Missing still; null when nobody knows */
  outstanding: number | null;
  /** Of a complete sweep: when its listing began, milliseconds since the epoch */
  completeUpTo: number | null;
}

/** Writes down what a sweep came to and ends its claim. The watermark moves only for a complete one, and never back. */
export async function recordSweep(
  db: Database,
  provider: string,
  { spacingSeconds, recovered, outstanding, completeUpTo }: SweepRecord,
): Promise<void> {
  const upTo = completeUpTo === null ? null : iso(completeUpTo);
  await db.service.$executeRaw`
    UPDATE "SweepState" SET
      "watermark" = GREATEST("watermark", ${upTo}::timestamptz),
      "lastRunAt" = GREATEST("lastRunAt", ${upTo}::timestamptz),
      "recovered" = "recovered" + ${recovered}::int,
      "missed" = COALESCE("recovered" + ${recovered}::int + ${outstanding}::int, "missed"),
      "claimedUntil" = "claimedUntil" - make_interval(secs => ${LEASE_SECONDS - Math.min(spacingSeconds, LEASE_SECONDS)})
    WHERE "provider" = ${provider}`;
}

/**
 * For /health.
 *
 * @returns when the logs were last compared completely (ISO), the longest ago of all providers; and
 *   how many texts were missed and recovered since the beginning
 */
export async function readSweepState(
  db: Database,
): Promise<{ lastRunAt: string | null; missed: number; recovered: number }> {
  const [row] = await db.service.$queryRaw<
    { lastRunAt: number | null; missed: number; recovered: number }[]
  >`
    SELECT (extract(epoch FROM min("lastRunAt")) * 1000)::float8 AS "lastRunAt",
      COALESCE(sum("missed"), 0)::int AS "missed", COALESCE(sum("recovered"), 0)::int AS "recovered"
    FROM "SweepState"`;
  const { lastRunAt = null, missed = 0, recovered = 0 } = row ?? {};
  return { lastRunAt: lastRunAt === null ? null : iso(lastRunAt), missed, recovered };
}

/** As text with its zone: the driver would send a Date without one. */
function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
