import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createDatabase } from "@jobrun/db";
import type { ProviderLog } from "@jobrun/messaging";
import { readSweepState } from "../src/conversations/sweep-state.ts";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";
import { messagesWith } from "./rows.ts";
import { createSweeper, LogOfAnyTime, type Sweeper, type SweeperOptions } from "./sweep-world.ts";

const HOLDING = "Thanks, we have your message and will be back to you shortly.";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Of tests that set the time themselves. Long past: the sweep trusts no clock that is ahead of the database's. */
const NOON = Date.parse("2025-11-20T12:00:00Z");

let world: World;
let sweepers: Sweeper[];

beforeEach(async () => {
  world = await createWorld();
  sweepers = [];
});
afterEach(async () => {
  await Promise.all(sweepers.map(({ close }) => close()));
  await world.close();
});

function sweeper(options: SweeperOptions): Sweeper {
  const created = createSweeper(world, options);
  sweepers.push(created);
  return created;
}

/** Goes by the real time, and no text of the test is young any more. */
const LATER = { now: Date.now, age: () => 31 * SECOND };

function customer(index: number): string {
  return `+44712345${String(index).padStart(4, "0")}`;
}

/** A text whose webhook the provider never requests. */
async function lose(sid: string, body: string, from = CUSTOMER, to = DEMO_NUMBER): Promise<void> {
  world.simulator.setFaults({ webhooks: "lost" });
  await world.simulator.text({ sid, body, from, to, webhookUrl: "http://127.0.0.1:1/sms" });
}

/** A gateway that answers. Its own sweep is over and leaves the next ones to the test. */
async function startGateway() {
  const gateway = await world.startGateway({
    SWEEP_INTERVAL_SECONDS: "86400",
    TWILIO_SEGMENTS_PER_SECOND: "1000",
  });
  await eventually(
    () => world.query('SELECT 1 FROM "SweepState" WHERE "lastRunAt" IS NOT NULL'),
    (rows) => rows.length === 1,
  );
  return gateway;
}

interface InboundRow {
  sender: string;
  providerMessageId: string;
  status: string;
}

function inbound(): Promise<InboundRow[]> {
  return world.query<InboundRow>(
    `SELECT "sender", "providerMessageId", "status" FROM "Message" WHERE "direction" = 'INBOUND' ORDER BY "position"`,
  );
}

/** The ids of each customer's stored texts, in the order of commits. */
async function storedOf(from: string): Promise<string[]> {
  return (await inbound())
    .filter(({ sender }) => sender === from)
    .map((row) => row.providerMessageId);
}

/** Resolves when every text is answered and every answer is sent. */
async function allAnswered(): Promise<void> {
  await eventually(
    () =>
      world.query<{ status: string }>(
        `SELECT DISTINCT "status"::text FROM "Message" WHERE "status" NOT IN ('RECEIVED', 'SENT', 'DELIVERED')`,
      ),
    (rows) => rows.length === 0,
  );
}

function openAlerts(type: string): Promise<{ summary: string }[]> {
  return world.query(`SELECT "summary" FROM "Alert" WHERE "type" = $1 AND "state" <> 'RESOLVED'`, [
    type,
  ]);
}

async function watermark(): Promise<number | undefined> {
  const [row] = await world.query<{ watermark: Date }>('SELECT "watermark" FROM "SweepState"');
  return row?.watermark.getTime();
}

async function health() {
  const db = createDatabase({
    url: world.database.url,
    poolSize: 1,
    queryTimeoutMs: 5_000,
    transactionTimeoutMs: 5_000,
    onQueryTimeout: () => {},
  });
  try {
    return await readSweepState(db);
  } finally {
    await db.close();
  }
}

describe("texts whose webhooks were lost", () => {
  it("are taken in once, in order, and each customer gets one holding text and one reply", async () => {
    const other = customer(1);
    await lose("SMlost1", "My pipe leaks");
    await lose("SMlost2", "My lock is broken", other);
    await lose("SMlost3", "In the kitchen");
    await lose("SMlost4", "At 5 High Street");
    const sweep = sweeper(LATER);

    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 4 });
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 0 });
    expect(await storedOf(CUSTOMER)).toEqual(["SMlost1", "SMlost3", "SMlost4"]);
    expect(await storedOf(other)).toEqual(["SMlost2"]);

    await startGateway();
    await allAnswered();
    for (const person of [CUSTOMER, other])
      expect(world.simulator.sent({ to: person }).map(({ body }) => body)).toEqual([
        HOLDING,
        expect.not.stringMatching(HOLDING),
      ]);
  });

  it("are told: an event for each, the counter, an alert with the number, the figures of /health", async () => {
    expect(await health()).toEqual({ lastRunAt: null, missed: 0, recovered: 0 });
    await lose("SMtold1", "My pipe leaks");
    await lose("SMtold2", "In the kitchen");
    const started = Date.now();
    const sweep = sweeper({ ...LATER, now: () => started });
    await sweep.run();

    const events = sweep.log.filter(({ event }) => event === "message_recovered");
    expect(events).toMatchObject([
      { providerMessageId: "SMtold1", net: "sweep" },
      { providerMessageId: "SMtold2", net: "sweep" },
    ]);
    expect(await sweep.recoveredTotal()).toBe(2);
    expect(await openAlerts("SWEEP_RECOVERED")).toEqual([
      { summary: expect.stringMatching(/: 2$/) },
    ]);
    expect(await health()).toEqual({
      lastRunAt: new Date(started).toISOString(),
      missed: 2,
      recovered: 2,
    });
  });

  it("are found also when the provider's list has several pages", async () => {
    for (let index = 0; index < 25; index += 1) await lose(`SMpage${index}`, `Detail ${index}`);
    world.simulator.setFaults({ listPageLimit: 7 });
    expect(await sweeper(LATER).run()).toEqual({ kind: "complete", recovered: 25 });
    expect(await storedOf(CUSTOMER)).toEqual(
      Array.from({ length: 25 }, (_, index) => `SMpage${index}`),
    );
  });

  it("are left to their webhook for 30 s, and found after that", async () => {
    let age = 0;
    await lose("SMyoung", "My pipe leaks");
    const sweep = sweeper({ now: Date.now, age: () => age });
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 0 });
    age = 31 * SECOND;
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 1 });
  });

  it("to a number of ours that is no tenant's are kept apart and answered once", async () => {
    await world.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role") VALUES ('+447000000001', 'SYSTEM')`,
    );
    await lose("SMnobody1", "Hello?", CUSTOMER, "+447000000001");
    await lose("SMnobody2", "Anyone?", CUSTOMER, "+447000000001");
    const sweep = sweeper(LATER);
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 2 });
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 0 });
    expect(await world.query('SELECT "providerMessageId" FROM "UnroutedMessage"')).toHaveLength(2);
    expect(await messagesWith(world, CUSTOMER)).toMatchObject([{ kind: "unrouted_reply" }]);
    expect(await openAlerts("UNROUTED_MESSAGE")).toHaveLength(1);
  });

  it("opt a customer out at once, before any turn, and the turn leaves it so without a text", async () => {
    await lose("SMstop1", "I need a plumber");
    await lose("SMstop2", "STOP");
    const sweep = sweeper(LATER);
    await sweep.run();
    const optedOut = () =>
      world.query('SELECT 1 FROM "Customer" WHERE "optedOutAt" IS NOT NULL AND "phone" = $1', [
        CUSTOMER,
      ]);
    expect(await optedOut()).toHaveLength(1);

    const gateway = await startGateway();
    await allAnswered();
    expect(await optedOut()).toHaveLength(1);
    expect(world.simulator.sent()).toEqual([]);
    expect(gateway.log.filter(({ event }) => event === "opt_out_recorded")).toHaveLength(1);
  });
});

describe("a text is stored once", () => {
  it("when its webhook and the sweep race", async () => {
    const gateway = await startGateway();
    await world.query('DELETE FROM "SweepState"');
    const people = Array.from({ length: 20 }, (_, index) => customer(index));
    await Promise.all(people.map((from, index) => lose(`SMrace${index}`, "My pipe leaks", from)));
    const [result, ...answers] = await Promise.all([
      sweeper(LATER).run(),
      ...people.map((from, index) =>
        gateway.text({ sid: `SMrace${index}`, body: "My pipe leaks", from }),
      ),
    ]);
    expect(result).toMatchObject({ kind: "complete" });
    expect(answers.map(({ status }) => status)).toEqual(people.map(() => 200));
    await allAnswered();
    expect((await inbound()).map((row) => row.providerMessageId).toSorted()).toEqual(
      people.map((_, index) => `SMrace${index}`).toSorted(),
    );
    for (const to of people)
      expect(world.simulator.sent({ to }).filter(({ body }) => body !== HOLDING)).toHaveLength(1);
  });

  it("when two processes sweep at the same moment although only one may", async () => {
    const log = new LogOfAnyTime();
    for (let index = 0; index < 40; index += 1)
      log.add({
        sid: `SMtwo${index}`,
        from: customer(index % 20),
        body: `Detail ${index}`,
        receivedAt: NOON - MINUTE,
      });
    const firstLists = Promise.withResolvers<void>();
    const bothList = Promise.withResolvers<void>();
    let listing = 0;
    const together: ProviderLog = {
      accepted: log.accepted,
      received: async (...asked) => {
        listing += 1;
        if (listing === 1) firstLists.resolve();
        else bothList.resolve();
        await bothList.promise;
        return log.received(...asked);
      },
    };
    const one = sweeper({ providerLog: together, now: () => NOON });
    const two = sweeper({ providerLog: together, now: () => NOON });
    const first = one.run();
    await firstLists.promise;
    // The claim of the first one counts as that of a process that died.
    await world.query('UPDATE "SweepState" SET "claimedUntil" = now()');
    const results = await Promise.all([first, two.run()]);
    expect(results).toMatchObject([{ kind: "complete" }, { kind: "complete" }]);
    const recovered = results.flatMap((result) => (result.kind === "held" ? [] : result.recovered));
    expect(recovered.reduce((sum, count) => sum + count)).toBe(40);
    expect(await inbound()).toHaveLength(40);
    expect(await health()).toMatchObject({ missed: 40, recovered: 40 });
  });
});

it("of several processes one sweeps, once per interval", async () => {
  const log = new LogOfAnyTime();
  const now = () => NOON;
  const processes = [1, 2, 3].map(() => sweeper({ providerLog: log, now, intervalSeconds: 60 }));
  const results = await Promise.all(processes.map((process) => process.run()));
  expect(results.map(({ kind }) => kind).toSorted()).toEqual(["complete", "held", "held"]);
  const again = await Promise.all(processes.map((process) => process.run()));
  expect(again.map(({ kind }) => kind)).toEqual(["held", "held", "held"]);
  await world.query(`UPDATE "SweepState" SET "claimedUntil" = "claimedUntil" - interval '60 s'`);
  const next = await Promise.all(processes.map((process) => process.run()));
  expect(next.map(({ kind }) => kind).toSorted()).toEqual(["complete", "held", "held"]);
});

it("sweeps at the start and then at every interval", async () => {
  const log = new LogOfAnyTime();
  const sweep = sweeper({ providerLog: log, now: () => NOON, intervalSeconds: 0.05 });
  log.add({ sid: "SMstart", from: CUSTOMER, body: "Hi", receivedAt: NOON - MINUTE });
  sweep.start();
  await eventually(inbound, (rows) => rows.length === 1);
  log.add({ sid: "SMnext", from: CUSTOMER, body: "Hi", receivedAt: NOON - MINUTE });
  await eventually(inbound, (rows) => rows.length === 2);
  expect(await storedOf(CUSTOMER)).toEqual(["SMstart", "SMnext"]);
});

it("stops in the middle of a listing without waiting for it and without an alarm", async () => {
  const listing = Promise.withResolvers<void>();
  const sweep = sweeper({
    now: Date.now,
    providerLog: {
      accepted: new LogOfAnyTime().accepted,
      received: (_since, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ kind: "failed", code: "aborted" }));
          listing.resolve();
        }),
    },
  });
  sweep.start();
  await listing.promise;
  await sweep.stop();
  expect(sweep.log.filter(({ level }) => level === "error")).toEqual([]);
});

describe("a sweep that is not complete", () => {
  it("moves no watermark, alerts the third time in a row, and begins at the old point afterwards", async () => {
    const log = new LogOfAnyTime();
    let now = NOON;
    const sweep = sweeper({ providerLog: log, now: () => now });
    await sweep.run();
    expect(await watermark()).toBe(NOON);

    log.add({ sid: "SMold", from: CUSTOMER, body: "My pipe leaks", receivedAt: NOON + 1 });
    log.failing = true;
    for (const alerts of [0, 0, 1]) {
      now += MINUTE;
      expect(await sweep.run()).toEqual({ kind: "incomplete", recovered: 0, code: "503" });
      expect(await openAlerts("SWEEP_FAILING")).toHaveLength(alerts);
    }
    now += 60 * MINUTE;
    await sweep.run();
    expect(await watermark()).toBe(NOON);

    log.failing = false;
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 1 });
    expect(await watermark()).toBe(now);
    expect(await openAlerts("SWEEP_FAILING")).toEqual([]);
  });

  it("alerts the first time when no sweep was complete for 5 minutes", async () => {
    world.simulator.setFaults({ listErrorStatus: 503 });
    let now = NOON;
    const sweep = sweeper({ now: () => now });
    now += 4 * MINUTE;
    await sweep.run();
    expect(await openAlerts("SWEEP_FAILING")).toEqual([]);
    now += MINUTE;
    await sweep.run();
    expect(await openAlerts("SWEEP_FAILING")).toHaveLength(1);
  });

  it("is no failure in a row when another process was complete in between", async () => {
    const failing = new LogOfAnyTime();
    failing.failing = true;
    let now = NOON;
    const one = sweeper({ providerLog: failing, now: () => now });
    const two = sweeper({ providerLog: new LogOfAnyTime(), now: () => now });
    for (const process of [one, one, two, one, one]) {
      now += MINUTE;
      await process.run();
    }
    expect(await openAlerts("SWEEP_FAILING")).toEqual([]);
  });

  it("has stored the others when one text cannot be stored, and takes it in when it can", async () => {
    await world.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW."providerMessageId" = 'SMrefused' THEN RAISE 'refused by the test'; END IF; RETURN NEW; END $$`);
    await world.query(
      'CREATE TRIGGER refuse BEFORE INSERT ON "Message" FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    const log = new LogOfAnyTime();
    const now = () => NOON;
    const sweep = sweeper({ providerLog: log, now });
    log.add({ sid: "SMrefused", from: customer(1), body: "Hi", receivedAt: NOON - MINUTE });
    log.add({ sid: "SMtaken", from: customer(2), body: "Hi", receivedAt: NOON - MINUTE });

    expect(await sweep.run()).toEqual({ kind: "incomplete", recovered: 1, code: "not_stored" });
    expect((await inbound()).map((row) => row.providerMessageId)).toEqual(["SMtaken"]);
    expect(await health()).toEqual({ lastRunAt: null, missed: 2, recovered: 1 });

    await world.query('DROP TRIGGER refuse ON "Message"');
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 1 });
    expect(await health()).toMatchObject({ missed: 2, recovered: 2 });
  });
});

it("the first sweep of all leaves what the account received long before alone", async () => {
  const log = new LogOfAnyTime();
  log.add({ sid: "SMancient", from: CUSTOMER, body: "Hi", receivedAt: NOON - 11 * MINUTE });
  log.add({ sid: "SMrecent", from: CUSTOMER, body: "Hi", receivedAt: NOON - 9 * MINUTE });
  const sweep = sweeper({ providerLog: log, now: () => NOON });
  expect(await sweep.run()).toEqual({ kind: "complete", recovered: 1 });
  expect(await storedOf(CUSTOMER)).toEqual(["SMrecent"]);
});

describe("an hour without webhooks", () => {
  const PEOPLE = 60;
  const TEXTS = 240;

  /** One text every 15 s, the people in turn. */
  function addHour(log: LogOfAnyTime): void {
    for (let index = 0; index < TEXTS; index += 1)
      log.add({
        sid: `SMhour${index}`,
        from: customer(index % PEOPLE),
        body: `Detail ${index}`,
        receivedAt: NOON + index * 15 * SECOND,
      });
  }

  async function expectAllOnceInOrder() {
    const rows = await inbound();
    expect(rows).toHaveLength(TEXTS);
    for (let person = 0; person < PEOPLE; person += 1)
      expect(
        rows
          .filter(({ sender }) => sender === customer(person))
          .map((row) => row.providerMessageId),
      ).toEqual([0, 1, 2, 3].map((round) => `SMhour${person + round * PEOPLE}`));
  }

  it("loses and doubles nothing while the sweep runs every minute", async () => {
    await startGateway();
    await world.query('DELETE FROM "SweepState"');
    const log = new LogOfAnyTime();
    const texts = new LogOfAnyTime();
    addHour(texts);
    let now = NOON;
    const sweep = sweeper({ providerLog: log, now: () => now });
    let recovered = 0;
    for (let minute = 0; minute <= 61; minute += 1, now += MINUTE) {
      log.texts.push(
        ...texts.texts.filter(
          ({ receivedAt }) => receivedAt.getTime() <= now && receivedAt.getTime() > now - MINUTE,
        ),
      );
      const result = await sweep.run();
      if (result.kind === "complete") recovered += result.recovered;
    }
    expect(recovered).toBe(TEXTS);
    await expectAllOnceInOrder();
    await allAnswered();
    expect(await health()).toMatchObject({ missed: TEXTS, recovered: TEXTS });
  }, 60_000);

  it("is caught up with by a process that was down all the while: one holding text and one reply each", async () => {
    const log = new LogOfAnyTime();
    const before = sweeper({ providerLog: log, now: () => NOON - 1 });
    await before.run();
    await before.stop();

    addHour(log);
    const sweep = sweeper({ providerLog: log, now: () => NOON + 61 * MINUTE });
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: TEXTS });
    await expectAllOnceInOrder();

    await startGateway();
    await allAnswered();
    for (let person = 0; person < PEOPLE; person += 1)
      expect(world.simulator.sent({ to: customer(person) }).map(({ body }) => body)).toEqual([
        HOLDING,
        expect.not.stringMatching(HOLDING),
      ]);
  });
});
