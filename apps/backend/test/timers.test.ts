import { spawn } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { newId, type Tx } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { databaseOn } from "@jobrun/db/testing";
import pg from "pg";
import { createLogger } from "../src/telemetry/logger.ts";
import { TimerService } from "../src/timers/timer-service.ts";
import type { TimerHandlers, TimerName } from "../src/timers/timers.ts";
import { eventually } from "./eventually.ts";
import { openTestDatabase, type OpenTestDatabase } from "./open-test-database.ts";

interface Firing {
  timer: TimerName;
  data: Record<string, unknown>;
  at: number;
}

let test: OpenTestDatabase;
let admin: pg.Client;
let fired: Firing[];
let errors: string[];
let rejections: unknown[];
const running: TimerService[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);

beforeAll(async () => {
  test = await openTestDatabase();
  admin = new pg.Client({ connectionString: databaseOn(test.url, "postgres") });
  await admin.connect();
  process.on("unhandledRejection", onRejection);
});
beforeEach(() => {
  [fired, errors, rejections] = [[], [], []];
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((timers) => timers.stop()));
  await query("DELETE FROM pgboss.job");
});
afterAll(async () => {
  process.off("unhandledRejection", onRejection);
  await admin.end();
  await test.close();
});

/** As the owner of the database. */
async function query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: test.url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Timers of one process, not started. */
function service(): TimerService {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      errors.push((JSON.parse(chunk.toString()) as { message: string }).message);
      done();
    },
  });
  return new TimerService({
    databaseUrl: test.url,
    logger: createLogger({ level: "error", pretty: false, stream }),
  });
}

/** Starts them with handlers that record what fired, after `during`. */
function start(timers: TimerService, during: (firing: Firing) => Promise<void> = async () => {}) {
  const handler = (timer: TimerName) => async (data: object) => {
    const firing = { timer, data: { ...data }, at: Date.now() };
    await during(firing);
    fired.push(firing);
  };
  const handlers: TimerHandlers = {
    urgent_job_second_text: handler("urgent_job_second_text"),
    urgent_job_founder: handler("urgent_job_founder"),
    onboarding_reminder: handler("onboarding_reminder"),
    onboarding_founder: handler("onboarding_founder"),
    retention: handler("retention"),
  };
  running.push(timers);
  timers.start(handlers);
  return timers;
}

const urgent = (jobId: string) => ({ tenantId: demoTenant.id, jobId, requestId: newId() });

/** Sets a timer of a job in a transaction of its own. */
function schedule(timers: TimerService, jobId: string, afterMs = 0) {
  const set = (tx: Tx) => timers.schedule(tx, "urgent_job_founder", urgent(jobId), afterMs);
  return test.db.serviceTransaction(set);
}

const jobs = () => fired.map(({ data }) => data["jobId"]);
const untilFired = (count: number) =>
  eventually(
    async () => jobs(),
    (seen) => seen.length >= count,
  );

describe("a timer", () => {
  it("exists only if the transaction that sets it commits", async () => {
    const timers = start(service());
    const failed = test.db.serviceTransaction(async (tx) => {
      await timers.schedule(tx, "urgent_job_founder", urgent("rolled-back"), 0);
      throw new Error("nothing is written");
    });
    await expect(failed).rejects.toThrow("nothing is written");
    await schedule(timers, "committed");
    expect(await untilFired(1)).toEqual(["committed"]);
  });

  it("can be set by a tenant's transaction, which cannot read what others set", async () => {
    const timers = start(service());
    const onboarding = { phone: "+447700900123", stateSince: "2026-11-21T12:00:00.000Z" };
    await test.db.tenantTransaction(demoTenant.id, (tx) =>
      timers.schedule(tx, "onboarding_reminder", onboarding, 0),
    );
    await untilFired(1);
    expect(fired).toMatchObject([{ timer: "onboarding_reminder", data: onboarding }]);
    const reading = test.db.tenantTransaction(
      demoTenant.id,
      (tx) => tx.$queryRaw`SELECT "data" FROM pgboss.job_common`,
    );
    await expect(reading).rejects.toThrow("permission denied");
  });

  it("fires once, not before its time", async () => {
    const timers = start(service());
    const setAt = Date.now();
    await schedule(timers, "later", 1500);
    await schedule(timers, "soon", 100);
    expect(await untilFired(2)).toEqual(["soon", "later"]);
    // 5 ms: the clocks of the server and of this process are read at different moments
    expect((fired[1]?.at ?? 0) - setAt).toBeGreaterThan(1495);
    await schedule(timers, "afterwards");
    expect(await untilFired(3)).toEqual(["soon", "later", "afterwards"]);
  });

  it("survives a restart", async () => {
    const before = start(service());
    await schedule(before, "over the restart", 1000);
    await before.stop();
    start(service());
    expect(await untilFired(1)).toEqual(["over the restart"]);
  });

  it("fires in one of two processes", async () => {
    const [first] = [start(service()), start(service())];
    const ids = Array.from({ length: 20 }, (_, index) => `job ${index}`);
    await Promise.all(ids.map((id) => schedule(first, id)));
    expect((await untilFired(20)).toSorted()).toEqual(ids.toSorted());
  });

  it("whose handler fails fires again", async () => {
    let failures = 0;
    const timers = start(service(), async () => {
      failures += 1;
      if (failures === 1) throw new Error("not this time");
    });
    await schedule(timers, "twice");
    expect(await untilFired(1)).toEqual(["twice"]);
    expect(errors).toEqual(["a timer failed; it is tried again, for a day"]);
  });

  it("whose process is killed while it fires, fires again in another", async () => {
    await schedule(service(), "interrupted");
    const script = new URL("timer-process.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, ["--conditions=@jobrun/source", script], {
      env: { PATH: process.env["PATH"], DATABASE_URL: test.url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    // The minute passes after which a process counts as dead.
    await query("UPDATE pgboss.job SET started_on = started_on - interval '61 seconds'");
    await query("UPDATE pgboss.queue SET monitor_claim_on = NULL, monitor_on = NULL");
    start(service());
    expect(await untilFired(1)).toEqual(["interrupted"]);
  });
});

describe("stopping", () => {
  it("waits for the timer that fires", async () => {
    const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const timers = start(service(), async () => {
      begun.resolve();
      await ended.promise;
    });
    await schedule(timers, "slow");
    await begun.promise;
    const stopped = timers.stop();
    ended.resolve();
    await stopped;
    expect(jobs()).toEqual(["slow"]);
    expect(await query("SELECT state::text FROM pgboss.job WHERE name = 'timers'")).toEqual([
      { state: "completed" },
    ]);
  });
});

describe("without the database", () => {
  const name = () => new URL(test.url).pathname.slice(1);
  const cut = async () => {
    await admin.query(`ALTER DATABASE ${name()} ALLOW_CONNECTIONS false`);
    await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [
      name(),
    ]);
  };
  const restore = () => admin.query(`ALTER DATABASE ${name()} ALLOW_CONNECTIONS true`);
  const saysSo = () =>
    eventually(
      async () => errors,
      (said) => said.length > 0,
    );

  it("a running process says so once and goes on when it is back", async () => {
    const timers = start(service());
    await schedule(timers, "before");
    await untilFired(1);
    await schedule(timers, "during the outage", 1000);
    await cut();
    await saysSo();
    await restore();
    expect(await untilFired(2)).toEqual(["before", "during the outage"]);
    expect(errors).toEqual(["timers do not fire; trying again until they do"]);
    expect(rejections).toEqual([]);
  });

  it("a process starts when it is there", async () => {
    await cut();
    const timers = start(service());
    await saysSo();
    await restore();
    await schedule(timers, "at last");
    expect(await untilFired(1)).toEqual(["at last"]);
    expect(errors).toEqual(["timers do not fire; trying again until they do"]);
    expect(rejections).toEqual([]);
  });

  it("a process that waits for it can be stopped", async () => {
    await cut();
    const timers = start(service());
    await saysSo();
    await timers.stop();
    await restore();
    expect(errors).toEqual(["timers do not fire; trying again until they do"]);
    expect(rejections).toEqual([]);
  });
});

describe("the daily clean-up", () => {
  it("is made up for after a night without a process", async () => {
    await start(service()).stop();
    await eventually(
      () => query("SELECT 1 FROM pgboss.schedule"),
      ({ length }) => length === 1,
    );
    await query("UPDATE pgboss.version SET cron_on = now() - interval '25 hours'");
    await query(
      "UPDATE pgboss.schedule SET created_on = now() - interval '26 hours', updated_on = now() - interval '26 hours'",
    );
    start(service());
    await eventually(
      async () => fired,
      (seen) => seen.length > 0,
    );
    expect(fired).toMatchObject([{ timer: "retention", data: {} }]);
  });
});
