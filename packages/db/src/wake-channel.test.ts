import { afterEach, beforeEach, expect, it } from "@jest/globals";
import pg from "pg";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";
import { openWakeChannel, type WakeChannel } from "./wake-channel.ts";

let database: TestDatabase;
const open: WakeChannel[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((channel) => channel.close()));
  await database.drop();
});

/** A process that listens: what it was told, and the next time it is. */
function listener() {
  const seen = { wakes: 0, losses: 0 };
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const notify of waiting) notify();
  };
  const channel = openWakeChannel({
    url: database.url,
    name: "test_work",
    onWake: () => {
      seen.wakes += 1;
      tell();
    },
    onLost: () => {
      seen.losses += 1;
      tell();
    },
  });
  open.push(channel);
  return {
    channel,
    seen,
    until: (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (!holds()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** Resolves when that many connections listen. */
async function listening(client: pg.Client, count: number): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'`,
    );
    if (rows[0]?.count === count) return;
  }
}

async function withClient(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

it("wakes the other processes and not the one that calls", async () => {
  await withClient(async (client) => {
    const [first, second] = [listener(), listener()];
    await listening(client, 2);
    first.channel.notify();
    await second.until(() => second.seen.wakes === 1);
    second.channel.notify();
    await first.until(() => first.seen.wakes > 0);
    expect([first.seen.wakes, second.seen.wakes]).toEqual([1, 1]);
  });
});

it("listens again after its connection was cut, and wakes for what it may have missed", async () => {
  await withClient(async (client) => {
    const [first, second] = [listener(), listener()];
    await listening(client, 2);
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
    );
    await second.until(() => second.seen.losses === 1 && second.seen.wakes === 1);
    const before = second.seen.wakes;
    await first.until(() => first.seen.wakes > 0);
    first.channel.notify();
    await second.until(() => second.seen.wakes > before);
    expect(second.seen.losses).toBe(1);
  });
});

it("costs the caller nothing while the database is away", async () => {
  const away = openWakeChannel({
    url: "postgresql://nobody@127.0.0.1:1/nowhere",
    name: "test_work",
    onWake: () => {},
    onLost: () => {},
  });
  expect(() => away.notify()).not.toThrow();
  await away.close();
});
