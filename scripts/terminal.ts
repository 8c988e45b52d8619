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

/**
 * Reads the arguments of a command. `--help` shows the usage and ends the process with 0; arguments that `read` throws
 * at are answered with what is wrong, and end the process with 1.
 *
 * @param usage what `--help` shows
 */
export function readArguments<T>(usage: string, read: () => T): T {
  if (process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) {
    say(usage);
    process.exit(0);
  }
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${argumentProblem(error)} (--help shows the usage)\n`);
    process.exit(1);
  }
}

/** parseArgs adds advice, with unbalanced quotes, that few need; its first sentence says what is wrong. */
function argumentProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isNodes = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  return isNodes ? (error.message.split(/\.\s/)[0] ?? error.message) : error.message;
}
