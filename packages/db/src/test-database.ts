import { randomUUID } from "node:crypto";
import pg from "pg";

/** The migrated and seeded database every test database is a copy of. */
export const TEMPLATE = "jobrun_template";

/** Where the test run's set-up leaves the address of its server for the test files' processes. */
export const SERVER_VARIABLE = "JOBRUN_TEST_SERVER_URL";

export interface TestDatabase {
  /** `postgresql://…` of a user that owns the database. */
  url: string;
  /** Ends its sessions and removes it. */
  drop(): Promise<void>;
}

/**
 * Makes a database of its own for one test file: all migrations applied, the demo tenant in it.
 *
 * @throws Error outside a test run, where nobody has started a server.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env[SERVER_VARIABLE];
  if (!server) throw new Error("No test server: run the tests with `pnpm test`");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await execute(server, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  return {
    url: databaseOn(server, name),
    drop: () => execute(server, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** The same server, another database. */
export function databaseOn(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
