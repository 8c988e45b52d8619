import { runWorker } from "@jobrun/backend";
import { migrate } from "@jobrun/db/migrate";
import { loadEnvironmentFile, say } from "./terminal.ts";

/** `pnpm start:worker`: the workers alone, beside one or more gateways on the same database. */
const STOP_LIMIT_MS = 30_000;

loadEnvironmentFile();
const missing = ["DATABASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"].filter(
  (key) => !process.env[key],
);
if (missing.length > 0) {
  say(
    `${missing.join(", ")} missing: a worker joins the gateways on one database, so nothing stands in for it.\n` +
      "Set the same environment as the gateway's (.env), or run `npm start` alone: it has the workers inside.",
  );
  process.exit(1);
}

try {
  for (const name of await migrate(process.env["DATABASE_URL"] ?? ""))
    say(`› Applied the migration ${name}`);
  const worker = await runWorker(process.env);
  say("  The workers run. Ctrl-C stops them.");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
      void worker.stop().then(() => process.exit(0));
    });
} catch (error) {
  say(`  Could not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
