import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import pg from "pg";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "jobrun-embedded-"));
});

afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

describe("the embedded PostgreSQL", () => {
  it("keeps its data from one start to the next", async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    await query(first.url, "CREATE TABLE kept AS SELECT 7 AS value");
    await first.stop();

    const second = await startEmbeddedPostgres({ dataDir });
    const rows = await query(second.url, "SELECT value FROM kept");
    await second.stop();
    expect(rows).toEqual([{ value: 7 }]);
  });

  it("sorts and folds Unicode the same on every machine, and keeps time in UTC", async () => {
    const postgres = await startEmbeddedPostgres({ dataDir, temporary: true });
    const rows = await query(
      postgres.url,
      "SELECT lower('Ü') AS folded, getdatabaseencoding() AS encoding, current_setting('TimeZone') AS zone",
    );
    await postgres.stop();
    expect(rows).toEqual([{ folded: "ü", encoding: "UTF8", zone: "UTC" }]);
  });

  it("refuses who does not know the password", async () => {
    const postgres = await startEmbeddedPostgres({ dataDir, temporary: true });
    const url = new URL(postgres.url);
    url.password = "wrong";
    try {
      await expect(query(url.href, "SELECT 1")).rejects.toThrow("password authentication failed");
    } finally {
      await postgres.stop();
    }
  });

  it("serves a second start on the same data, and does not stop with it", async () => {
    const first = await startEmbeddedPostgres({ dataDir, temporary: true });
    const second = await startEmbeddedPostgres({ dataDir });
    expect(second.url).toBe(first.url);
    await second.stop();
    const rows = await query(first.url, "SELECT 1 AS alive");
    await first.stop();
    expect(rows).toEqual([{ alive: 1 }]);
  });

  it("starts although a crash left a lock file whose process id is somebody else's now", async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    const lockFile = join(dataDir, "pgdata", "postmaster.pid");
    const lock = readFileSync(lockFile, "utf8");
    await first.stop();
    writeFileSync(lockFile, lock.replace(/^\d+/, "1"), { mode: 0o644 });

    const second = await startEmbeddedPostgres({ dataDir });
    const rows = await query(second.url, "SELECT 1 AS alive");
    await second.stop();
    expect(rows).toEqual([{ alive: 1 }]);
  });

  it("ends with the process that started it, even when that is killed", async () => {
    const program = `
      import { startEmbeddedPostgres } from ${JSON.stringify(new URL("./embedded-postgres.ts", import.meta.url).href)};
      await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} });
      process.stdout.write("ready");
      setInterval(() => {}, 1000);
    `;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(owner.stdout, "data");
    owner.kill("SIGKILL");
    await once(owner, "exit");

    // A start on the same data waits for the shutdown that is under way, then has a server of its own.
    const next = await startEmbeddedPostgres({ dataDir });
    await next.stop();
    expect(existsSync(join(dataDir, "pgdata", "postmaster.pid"))).toBe(false);
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
