import { describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { eventually } from "./eventually.ts";
import { CUSTOMER } from "./harness.ts";
import { LogOfAnyTime } from "./sweep-world.ts";
import { customer, MINUTE, sweeper, useSweeps, world } from "./sweeps.ts";

const HOUR = 60 * MINUTE;
const OPERATOR = demoTenant.operatorPhone;

useSweeps();

/** Texts that wait for the worker of a gateway that is not yet started, one of each customer. */
async function deferTextsOf(customers: string[]): Promise<void> {
  const log = new LogOfAnyTime();
  const receivedAt = Date.now() - MINUTE;
  for (const from of customers)
    log.add({ sid: `SM${from.slice(1)}`, from, body: "My pipe leaks", receivedAt });
  const sweep = sweeper({ providerLog: log, now: Date.now });
  expect(await sweep.run()).toEqual({ kind: "complete", recovered: customers.length });
}

interface DeferredRow {
  status: string;
  told: boolean;
}

/** What became of the customers' texts. */
function texts(): Promise<DeferredRow[]> {
  return world.query<DeferredRow>(
    `SELECT "status", "operatorToldAt" IS NOT NULL AS "told" FROM "Message" WHERE "direction" = 'INBOUND'`,
  );
}

/** The database's clock cannot be set: older rows are the same to it as time that has passed. */
function writtenHoursAgo(hours: number) {
  return world.query(
    `UPDATE "Message" SET "createdAt" = now() - make_interval(hours => $1) WHERE "direction" = 'INBOUND'`,
    [hours],
  );
}

describe("deferred texts", () => {
  it("are answered, all of them, also when one has been tried very often", async () => {
    const [tried, other] = [CUSTOMER, customer(1)];
    await deferTextsOf([tried, other]);
    await world.query(`UPDATE "Message" SET "attempts" = 60 WHERE "sender" = $1`, [tried]);
    await world.startGateway();
    const rows = await eventually(texts, (all) => all.every(({ status }) => status !== "DEFERRED"));
    expect(rows.map(({ status }) => status)).toEqual(["RECEIVED", "RECEIVED"]);
    // The holding text and the reply.
    for (const to of [tried, other]) await world.simulator.waitForSent(2, { to });
  });

  it("are the operator's after a day, and their alert ends", async () => {
    world.simulator.setFaults({ model: { kind: "error", status: 500 } });
    await deferTextsOf([CUSTOMER]);
    await writtenHoursAgo(23);
    const gateway = await world.startGateway();
    const stuck = { type: "DEFERRED_STUCK" };
    await world.simulator.waitForSent(1, { to: OPERATOR });
    const raised = await gateway.logged(
      (line) => line.event === "alert_raised" && line["type"] === stuck.type,
    );
    expect(raised).toMatchObject({ severity: "critical" });
    expect(await texts()).toEqual([{ status: "DEFERRED", told: true }]);

    await writtenHoursAgo(25);
    await gateway.logged((line) => line.event === "alert_resolved" && line["type"] === stuck.type);
    expect(await texts()).toEqual([{ status: "RECEIVED", told: true }]);
    expect(world.simulator.sent({ to: OPERATOR })).toHaveLength(1);
  });

  it("are nobody's before the operator was told of each, however many there are", async () => {
    const customers = Array.from({ length: 50 }, (_, index) => customer(index));
    await deferTextsOf(customers);
    await writtenHoursAgo(25);
    await world.startGateway();
    const rows = await eventually(texts, (all) => all.every(({ status }) => status !== "DEFERRED"));
    expect(rows).toEqual(customers.map(() => ({ status: "RECEIVED", told: true })));
    const told = await world.simulator.waitForSent(50, { to: OPERATOR });
    for (const from of customers)
      expect(told.filter(({ body }) => body.includes(from))).toHaveLength(1);
  });
});

describe("a sweep", () => {
  it("of a process whose clock is an hour fast hides no texts that come later", async () => {
    const log = new LogOfAnyTime();
    const fast = sweeper({ providerLog: log, now: () => Date.now() + HOUR });
    expect(await fast.run()).toEqual({ kind: "complete", recovered: 0 });
    expect(await fast.run()).toEqual({ kind: "complete", recovered: 0 });
    // Twenty minutes pass, and a webhook is lost soon after the sweep.
    await world.query(
      `UPDATE "SweepState" SET "watermark" = "watermark" - interval '20 minutes',
         "lastRunAt" = "lastRunAt" - interval '20 minutes'`,
    );
    log.add({ sid: "SMlost", from: CUSTOMER, body: "Help", receivedAt: Date.now() - 19 * MINUTE });
    const right = sweeper({ providerLog: log, now: Date.now });
    expect(await right.run()).toEqual({ kind: "complete", recovered: 1 });
  });

  it("of a process whose clock is an hour fast leaves a young text to its webhook", async () => {
    const log = new LogOfAnyTime();
    const fast = sweeper({ providerLog: log, now: () => Date.now() + HOUR });
    log.add({ sid: "SMyoung", from: CUSTOMER, body: "Help", receivedAt: Date.now() });
    expect(await fast.run()).toEqual({ kind: "complete", recovered: 0 });
    expect(await texts()).toEqual([]);
  });

  it("leaves texts to numbers that are not ours alone", async () => {
    const log = new LogOfAnyTime();
    const receivedAt = Date.now() - MINUTE;
    const to = "+447000000002";
    log.add({ sid: "SMforeign", from: CUSTOMER, body: "Hi", to, receivedAt });
    log.add({ sid: "SMours", from: CUSTOMER, body: "Hi", receivedAt });
    const sweep = sweeper({ providerLog: log, now: Date.now });
    expect(await sweep.run()).toEqual({ kind: "complete", recovered: 1 });
    expect(await world.query('SELECT 1 FROM "UnroutedMessage"')).toEqual([]);
    expect(
      await world.query(`SELECT "providerMessageId" FROM "Message" WHERE "direction" = 'INBOUND'`),
    ).toEqual([{ providerMessageId: "SMours" }]);
  });
});
