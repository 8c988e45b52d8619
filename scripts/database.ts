import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { checkDrift, migrate, seed } from "@jobrun/db/migrate";
import { loadEnvironmentFile, POSTGRES_FOLDER, say } from "./terminal.ts";

/** `pnpm db:migrate`, `db:seed` and `db:check`, on DATABASE_URL or else on the embedded PostgreSQL. */
const actions: Record<string, (url: string) => Promise<number>> = {
  async migrate(url) {
    const applied = await migrate(url);
    say(applied.length === 0 ? "The database is up to date" : `Applied ${applied.join(", ")}`);
    return 0;
  },
  async seed(url) {
    await migrate(url);
    await seed(url, process.env["WHATSAPP_PHONE_NUMBER_ID"] || undefined);
    say("The demo tenant is in the database");
    return 0;
  },
  async check(url) {
    await migrate(url);
    const drift = await checkDrift(url);
    say(
      drift === null
        ? "The migrations agree with schema.prisma"
        : `Missing in the migrations:\n${drift}`,
    );
    return drift === null ? 0 : 1;
  },
};

const action = actions[process.argv[2] ?? ""];
if (!action) throw new Error("usage: scripts/database.ts migrate | seed | check");
loadEnvironmentFile();
const external = process.env["DATABASE_URL"];
const embedded = external
  ? null
  : await startEmbeddedPostgres({ dataDir: POSTGRES_FOLDER, log: say });
try {
  process.exitCode = await action(external ?? embedded?.url ?? "");
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await embedded?.stop();
}
