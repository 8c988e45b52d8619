import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { readKey } from "../apps/backend/src/config.ts";
import { loadEnvironmentFile, POSTGRES_FOLDER, say } from "./terminal.ts";

/**
 * Runs a command on DATABASE_URL, or else on the PostgreSQL of `npm start`. Reads `.env`.
 *
 * @param work gets the address, `postgresql://…`
 * @returns what `work` returns
 * @throws ConfigError when DATABASE_URL is not the address of a PostgreSQL
 */
export async function useDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  loadEnvironmentFile();
  // A copied .env.example sets the key, to nothing.
  if (process.env["DATABASE_URL"]) return work(readKey(process.env, "DATABASE_URL"));
  const embedded = await startEmbeddedPostgres({ dataDir: POSTGRES_FOLDER, log: say });
  try {
    return await work(embedded.url);
  } finally {
    await embedded.stop();
  }
}
