import { parseArgs } from "node:util";
import { checkDrift, migrate, seed } from "@jobrun/db/migrate";
import { readArguments, say } from "./terminal.ts";
import { useDatabase } from "./use-database.ts";

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

const usage = `usage: pnpm db:migrate    applies the migrations the database does not have yet
       pnpm db:seed       adds the demo business
       pnpm db:check      fails when the migrations and prisma/schema.prisma differ

On DATABASE_URL, or else on the PostgreSQL of npm start.`;

const action = readArguments(usage, () => {
  const [name = "", ...rest] = parseArgs({ options: {}, allowPositionals: true }).positionals;
  const chosen = actions[name];
  if (!chosen) throw new Error(`scripts/database.ts has migrate, seed and check, not "${name}"`);
  if (rest.length > 0) throw new Error(`It takes no arguments: ${rest.join(" ")}`);
  return chosen;
});
try {
  process.exitCode = await useDatabase(action);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
