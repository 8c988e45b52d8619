import { parseArgs } from "node:util";
import { createDatabase, sqlState, type Database } from "@jobrun/db";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { twilioNumbers } from "@jobrun/messaging";
import { compareNumbers, provisionNumbers } from "../apps/backend/src/numbers/provision.ts";
import { comparisonReport, provisionReport, type Report } from "./provision/report.ts";
import { readSettings, type Settings } from "./provision/settings.ts";
import { loadEnvironmentFile, POSTGRES_FOLDER, readArguments, say } from "./terminal.ts";

const HELP = `Sets the SMS, fallback, voice and call status URLs of every number of the pool at Twilio.

  pnpm provision            sets them, and shows each number before and after
  pnpm provision --check    shows what would change, and changes nothing
  --help

Ends with 0 when every number is set as it should be, else with 1.
Environment or .env: PUBLIC_BASE_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_API_BASE_URL, DATABASE_URL
(without it, the pool is the one of \`npm start\`).`;
/** Room for both URLs side by side, where nobody says how wide the output is. */
const USUAL_WIDTH = 120;
const QUERY_LIMIT_MS = 10_000;
/** SQLSTATEs of a database the migrations have not been applied to: no role yet, or no table. */
const NOT_MIGRATED = ["22023", "42704", "42P01"];

// A number in work is finished or reported, and the database stopped, before the process ends.
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => interrupted.abort(new Error("interrupted")));

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { check } = readArguments(HELP, readOptions);
  loadEnvironmentFile();
  const settings = readSettings(process.env);
  const embedded =
    settings.databaseUrl === null
      ? await startEmbeddedPostgres({ dataDir: POSTGRES_FOLDER, log: say })
      : null;
  try {
    const url = settings.databaseUrl ?? embedded?.url ?? "";
    const { lines, isFine } = await run(url, settings, check);
    for (const line of lines) say(line);
    return isFine ? 0 : 1;
  } finally {
    await embedded?.stop();
  }
}

async function run(databaseUrl: string, settings: Settings, check: boolean): Promise<Report> {
  const { publicBaseUrl, twilio } = settings;
  const numbers = twilioNumbers(twilio);
  const layout = { publicBaseUrl, width: process.stdout.columns ?? USUAL_WIDTH };
  const { signal } = interrupted;
  const db = await openDatabase(databaseUrl);
  try {
    return check
      ? comparisonReport(await compareNumbers(db, numbers, publicBaseUrl, signal), layout)
      : provisionReport(await provisionNumbers(db, numbers, publicBaseUrl, signal), layout);
  } finally {
    await db.close();
  }
}

function readOptions() {
  return parseArgs({ options: { check: { type: "boolean", default: false } } }).values;
}

/** @throws Error that says what to do, when the database does not answer or was never migrated */
async function openDatabase(url: string): Promise<Database> {
  const db = createDatabase({
    url,
    poolSize: 2,
    queryTimeoutMs: QUERY_LIMIT_MS,
    transactionTimeoutMs: QUERY_LIMIT_MS,
    onQueryTimeout: () => {},
  });
  try {
    await db.service.$queryRaw`SELECT 1 FROM "TwilioNumberPool" LIMIT 1`;
    return db;
  } catch (error) {
    await db.close();
    throw new Error(databaseAdvice(error), { cause: error });
  }
}

function databaseAdvice(error: unknown): string {
  const state = sqlState(error);
  const text = error instanceof Error ? error.message : String(error);
  // Prisma prints the failed call around what the database or the driver said.
  const said = /Message: `([^`]*)`/.exec(text)?.[1] ?? text;
  return [
    "Nothing was looked at or changed. The database does not answer as it should:",
    "",
    `  ${said}`,
    "",
    state !== null && NOT_MIGRATED.includes(state)
      ? "To do: pnpm db:migrate"
      : "To do: look at DATABASE_URL, and whether PostgreSQL runs there.",
  ].join("\n");
}
