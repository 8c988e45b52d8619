import { parseArgs } from "node:util";
import { runWorker, stopOnSignal } from "@jobrun/backend";
import { migrate } from "@jobrun/db/migrate";
import { readConfig } from "../apps/backend/src/config.ts";
import { loadEnvironmentFile, readArguments, say } from "./terminal.ts";

/** `pnpm start:worker`: the workers alone, beside one or more gateways on the same database. */
const NEEDED = ["DATABASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_BASE_URL"];

const usage = `usage: pnpm start:worker

Sends, retries and watches beside the gateways on one database. Takes no arguments; it needs the gateways' own .env.`;

readArguments(usage, () => parseArgs({ options: {} }));
loadEnvironmentFile();
const missing = NEEDED.filter((key) => !process.env[key]);
if (missing.length > 0) {
  say(
    "A worker sends, retries and watches beside the gateways on one database, so that more than one process does it.\n" +
      `Missing, as nothing stands in for what it shares with them: ${missing.join(", ")}\n` +
      (missing.includes("PUBLIC_BASE_URL")
        ? "PUBLIC_BASE_URL is the gateways' address: Twilio sends the delivery receipts of a worker's texts there.\n"
        : "") +
      "Set the gateway's own environment (.env), or run `npm start` alone: it has the workers inside.",
  );
  process.exit(1);
}

try {
  readConfig(process.env);
  for (const name of await migrate(process.env["DATABASE_URL"] ?? ""))
    say(`› Applied the migration ${name}`);
  stopOnSignal(await runWorker(process.env));
  say("  The workers run. Ctrl-C stops them.");
} catch (error) {
  say(`  Could not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
