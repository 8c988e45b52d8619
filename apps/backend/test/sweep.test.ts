import { describe, expect, it } from "@jest/globals";
import type { ProviderLog } from "@jobrun/messaging";
import { HOLDING } from "./deferred-world.ts";
import { CUSTOMER, DEMO_NUMBER } from "./harness.ts";
import { messagesWith } from "./rows.ts";
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

/** Goes by the real time, and no text of the test is young any more. */
const LATER = { now: Date.now, age: () => 31 * SECOND };

/** A text whose webhook the provider never requests. */
async function lose(sid: string, body: string, from = CUSTOMER, to = DEMO_NUMBER): Promise<void> {
  world.simulator.setFaults({ webhooks: "lost" });
  await world.simulator.text({ sid, body, from, to, webhookUrl: "http://127.0.0.1:1/sms" });
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
