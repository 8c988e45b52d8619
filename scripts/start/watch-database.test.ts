import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import pg from "pg";
import { watchDatabase } from "./watch-database.ts";

/** Starting and stopping a PostgreSQL takes seconds on a busy machine. */
const LIMIT_MS = 60_000;

it(
  "tells when PostgreSQL ends, and not when only its session does",
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "jobrun-watch-"));
    const postgres = await startEmbeddedPostgres({ dataDir, temporary: true });
    const told: string[] = [];
    const ended = new Promise<void>((resolve) => {
      void watchDatabase(postgres.url, () => {
        told.push("ended");
        resolve();
      });
    });
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const others = `FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
    const sessions = async () => (await client.query(`SELECT pid ${others}`)).rows;
    try {
      const first = await until(sessions, (rows) => rows.length === 1);
      await client.query(`SELECT pg_terminate_backend(pid) ${others}`);
      await until(sessions, (rows) => rows.length === 1 && rows[0].pid !== first[0].pid);
      expect(told).toEqual([]);
    } finally {
      await client.end();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
    await ended;
    expect(told).toEqual(["ended"]);
  },
  LIMIT_MS,
);

async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
  }
}
