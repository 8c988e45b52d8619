import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where `pnpm start` and the `db:` commands keep the embedded PostgreSQL. */
export const POSTGRES_FOLDER = fileURLToPath(new URL("../.data/postgres", import.meta.url));

/** Writes one line for a person at the terminal. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Reads `.env` at the top of the repository, when there is one. What is already set stays. */
export function loadEnvironmentFile(): void {
  const file = fileURLToPath(new URL("../.env", import.meta.url));
  if (existsSync(file)) process.loadEnvFile(file);
}
