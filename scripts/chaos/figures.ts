import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type pg from "pg";
import type { Traffic } from "./traffic.ts";
import type { World } from "./world.ts";

/** What happened in a run, in the order it is shown. */
export type Figures = [what: string, value: string][];

interface Step {
  from: string;
  to: string;
  code: string | null;
  by: string;
  count: number;
}

/**
 * Makes the run's own database keep every change of status: what logs would lose with a killed process. What made
 * the change is told by what its statement names.
 */
export async function keepHistory(database: pg.Pool): Promise<void> {
  await database.query(`
    CREATE TABLE chaos_history ("from" text, "to" text, "code" text, "by" text);
    CREATE FUNCTION chaos_remember() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO public.chaos_history VALUES (OLD."status", NEW."status", NEW."errorCode",
        CASE WHEN current_query() LIKE '%"PendingReceipt"%' THEN 'receipt'
             WHEN current_query() LIKE '%"failures"%' THEN 'late answer' ELSE 'look-up' END);
      RETURN NULL;
    END $$;
    CREATE TRIGGER chaos_remember AFTER UPDATE ON "Message" FOR EACH ROW
      WHEN (OLD."status" <> NEW."status") EXECUTE FUNCTION chaos_remember();`);
}

export async function readFigures(
  { database, simulator, logFile }: World,
  traffic: Traffic,
  kills: number,
  started: number,
): Promise<Figures> {
  const { rows: steps } = await database.query<Step>(
    `SELECT "from", "to", "code", "by", count(*)::int AS "count" FROM chaos_history
     GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC`,
  );
  const { rows: kinds } = await database.query<{ kind: string; count: number }>(
    `SELECT "kind", count(*)::int AS "count" FROM "Message" WHERE "direction" = 'OUTBOUND'
     GROUP BY 1 ORDER BY 2 DESC`,
  );
  const { rows: sweep } = await database.query<{ count: number }>(
    `SELECT coalesce(sum("recovered"), 0)::int AS "count" FROM "SweepState"`,
  );
  const between = (from: string, to: string) =>
    steps.filter((step) => step.from === from && step.to === to);
  const settled = steps.filter(({ from, to }) => from === "UNKNOWN" && to !== "QUEUED");
  return [
    ["texts from customers", String(traffic.sids.length)],
    ["texts to send", breakdown(kinds.map(({ kind, count }) => [kind, count]))],
    ["accepted by the provider", String(simulator.sent().length)],
    ["kills (SIGKILL)", String(kills)],
    ["failed attempts", await failedAttempts(logFile)],
    ["sent later", byCode(between("SENDING", "QUEUED"))],
    ["unknown", byCode(between("SENDING", "UNKNOWN"))],
    ["… settled by", breakdown(settled.map(({ by, count }) => [by, count]))],
    ["… sent again", breakdown(between("UNKNOWN", "QUEUED").map((step) => ["", step.count]))],
    ["webhook retries", String(traffic.retries)],
    ["fallbacks", String(traffic.fallbacks)],
    ["webhooks nobody took", String(traffic.unheard)],
    ["recovered by the sweep", String(sweep[0]?.count ?? 0)],
    ["duration", `${((performance.now() - started) / 1000).toFixed(0)} s`],
  ];
}

/** Those that were tried again in memory leave no trace in the database. */
async function failedAttempts(logFile: string): Promise<string> {
  const outcomes: [string, number][] = [];
  for await (const line of createInterface(createReadStream(logFile))) {
    const outcome = / send failed .*"outcome":"(\w+)"/.exec(line)?.[1];
    if (outcome !== undefined) outcomes.push([outcome, 1]);
  }
  return breakdown(outcomes);
}

function byCode(steps: Step[]): string {
  return breakdown(steps.map(({ code, count }) => [code ?? "no code", count]));
}

/** `7 (a 4, b 3)` */
function breakdown(parts: [name: string, count: number][]): string {
  const counts = new Map<string, number>();
  for (const [name, count] of parts) counts.set(name, (counts.get(name) ?? 0) + count);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const words = [...counts].filter(([name]) => name !== "").map((entry) => entry.join(" "));
  return words.length === 0 ? String(total) : `${total} (${words.join(", ")})`;
}
