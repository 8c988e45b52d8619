import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { migrate, seed } from "@jobrun/db/migrate";
import { databaseOn, SERVER_VARIABLE, TEMPLATE } from "@jobrun/db/testing";

/** One PostgreSQL for the whole run, with the template that `createTestDatabase` copies. */
export default async function setUp() {
  const postgres = await startEmbeddedPostgres({
    dataDir: await mkdtemp(join(tmpdir(), "jobrun-test-")),
    temporary: true,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  await migrate(databaseOn(postgres.url, TEMPLATE));
  await seed(databaseOn(postgres.url, TEMPLATE));
  process.env[SERVER_VARIABLE] = postgres.url;
  globalThis.stopTestServer = () => postgres.stop();
}
