import { newId, type Database, type Tx } from "@jobrun/db";
import { alertTypes, type AlertType, type Severity } from "./alert-types.ts";

/** Something the founder must know, with the key that makes it one incident. */
export interface Incident {
  key: string;
  type: AlertType;
  severity: Severity;
  summary: string;
}

/** A single statement, on its own or in a transaction. */
type Statements = Pick<Tx, "$queryRaw" | "$executeRaw">;

/**
 * Opens an incident, or counts it on the unresolved one of the same key.
 *
 * @param occurrences how often it happened; 0 refreshes a condition that still holds.
 * @returns whether it was opened by this call.
 */
export async function upsertIncident(
  statements: Statements,
  incident: Incident,
  occurrences: number,
  now: Date,
): Promise<{ id: string; opened: boolean }> {
  const at = now.toISOString();
  const [row] = await statements.$queryRaw<{ id: string; opened: boolean }[]>`
    INSERT INTO "Alert" ("id", "key", "type", "severity", "summary", "occurrences", "raisedAt", "lastSeenAt")
    VALUES (${newId()}::uuid, ${incident.key}, ${incident.type}, ${incident.severity}, ${incident.summary},
            greatest(1, ${occurrences}::int), ${at}::timestamptz, ${at}::timestamptz)
    ON CONFLICT ("key") WHERE "state" <> 'RESOLVED' DO UPDATE SET
      "occurrences" = "Alert"."occurrences" + ${occurrences}::int,
      "lastSeenAt" = greatest("Alert"."lastSeenAt", EXCLUDED."lastSeenAt"),
      "summary" = EXCLUDED."summary",
      "severity" = CASE WHEN "Alert"."severity" = 'critical' THEN 'critical' ELSE EXCLUDED."severity" END,
      -- an acknowledged incident that got worse is news again
      "state" = CASE WHEN "Alert"."severity" <> EXCLUDED."severity" AND EXCLUDED."severity" = 'critical'
                     THEN 'OPEN' ELSE "Alert"."state" END
    RETURNING "id"::text, xmax = 0 AS "opened"`;
  if (row === undefined) throw new Error("an upsert returned no row");
  return row;
}

export interface ResolvedIncident {
  key: string;
  type: string;
  severity: string;
}

/** Ends the unresolved incident of a key, if there is one. */
export function resolveIncident(db: Database, key: string, now: Date): Promise<ResolvedIncident[]> {
  return db.service.$queryRaw<ResolvedIncident[]>`
    UPDATE "Alert" SET "state" = 'RESOLVED', "resolvedAt" = ${now.toISOString()}::timestamptz
     WHERE "key" = ${key} AND "state" <> 'RESOLVED'
    RETURNING "key", "type", "severity"`;
}

/**
 * Ends incidents whose condition is in the database and does not hold any more.
 *
 * @param holding the keys of those that do
 */
export function resolveEnded(
  db: Database,
  holding: string[],
  now: Date,
): Promise<ResolvedIncident[]> {
  return db.service.$queryRaw<ResolvedIncident[]>`
    UPDATE "Alert" SET "state" = 'RESOLVED', "resolvedAt" = ${now.toISOString()}::timestamptz
     WHERE "state" <> 'RESOLVED' AND "type" = ANY(${conditions}::text[]) AND "key" <> ALL(${holding}::text[])
    RETURNING "key", "type", "severity"`;
}

const conditions = Object.entries(alertTypes).flatMap(([type, { resolution }]) =>
  resolution.when === "condition ends" ? [type] : [],
);

/** Ends incidents of the types that close when they were not seen for a while. */
export function resolveUnseen(db: Database, now: Date): Promise<ResolvedIncident[]> {
  return db.service.$queryRaw<ResolvedIncident[]>`
    UPDATE "Alert" SET "state" = 'RESOLVED', "resolvedAt" = ${now.toISOString()}::timestamptz
      FROM jsonb_each_text(${JSON.stringify(patience)}::jsonb) AS patience("type", "milliseconds")
     WHERE "Alert"."state" <> 'RESOLVED' AND "Alert"."type" = patience."type"
       AND "lastSeenAt" < ${now.toISOString()}::timestamptz - patience."milliseconds"::int * interval '1 millisecond'
    RETURNING "key", "Alert"."type", "severity"`;
}

const patience = Object.fromEntries(
  Object.entries(alertTypes).flatMap(([type, { resolution }]) =>
    resolution.when === "not seen" ? [[type, resolution.forMs]] : [],
  ),
);

export interface OpenIncident {
  type: string;
  severity: string;
  state: string;
  raisedAt: string;
  occurrences: number;
}

const MOST_LISTED = 50;

/** The incidents not resolved, the worst first. */
export async function listOpen(db: Database): Promise<OpenIncident[]> {
  const rows = await db.service.alert.findMany({
    where: { state: { not: "RESOLVED" } },
    orderBy: [{ severity: "asc" }, { raisedAt: "asc" }],
    take: MOST_LISTED,
    select: { type: true, severity: true, state: true, raisedAt: true, occurrences: true },
  });
  return rows.map((row) => ({ ...row, raisedAt: row.raisedAt.toISOString() }));
}

/** How many incidents are not resolved, by severity. */
export async function countOpen(db: Database): Promise<Record<Severity, number>> {
  const rows = await db.service.alert.groupBy({
    by: ["severity"],
    where: { state: { not: "RESOLVED" } },
    _count: true,
  });
  const countOf = (severity: Severity) =>
    rows.find((row) => row.severity === severity)?._count ?? 0;
  return { warning: countOf("warning"), critical: countOf("critical") };
}
