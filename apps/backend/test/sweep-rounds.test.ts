import { describe, expect, it } from "@jest/globals";
import { HOLDING } from "./deferred-world.ts";
import { eventually } from "./eventually.ts";
import { CUSTOMER } from "./harness.ts";
import { LogOfAnyTime } from "./sweep-world.ts";
import {
  allAnswered,
  customer,
  health,
  inbound,
  MINUTE,
  NOON,
  openAlerts,
  SECOND,
  startGateway,
  storedOf,
  sweeper,
  useSweeps,
  world,
} from "./sweeps.ts";

useSweeps();

async function watermark(): Promise<number | undefined> {
  const [row] = await world.query<{ watermark: Date }>('SELECT "watermark" FROM "SweepState"');
  return row?.watermark.getTime();
}

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
  }, 60_000);
});
