import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { DatabaseDoor } from "./database-door.ts";
import {
  countOf,
  DEFERRED,
  EMPTY,
  HOLDING,
  inboundOf,
  lastShown,
  RARELY,
} from "./deferred-world.ts";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, type RunningGateway, type World } from "./harness.ts";
import { countRows, NO_ROWS, settledMessagesWith } from "./rows.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

function asked(gateway: RunningGateway) {
  return gateway.logged((line) => line.event === "llm_request");
}

describe("a customer's text", () => {
  it("is acknowledged while the model hangs, once stored, and answered at the next try", async () => {
    const gateway = await world.startGateway({ ...DEFERRED, WEBHOOK_DEADLINE_MS: "1000" });
    world.simulator.setFaults({ model: { kind: "hang", times: 1 } });
    expect(await gateway.text({ sid: "SMhang", body: "My pipe leaks" })).toEqual(EMPTY);
    expect(await inboundOf(world, CUSTOMER)).toMatchObject([
      { status: "DEFERRED", body: "My pipe leaks" },
    ]);
    expect(gateway.log.flatMap(({ event }) => event ?? []).slice(0, 2)).toEqual([
      "message_received",
      "message_deferred",
    ]);

    const [reply] = await world.simulator.waitForSent(1, { to: CUSTOMER }, 25_000);
    expect(reply?.body).not.toBe(HOLDING);
    const rows = await settledMessagesWith(world, CUSTOMER);
    expect(rows.map(({ kind, status, attempts }) => [kind, status, attempts])).toEqual([
      ["text", "RECEIVED", 2],
      ["reply", "SENT", 1],
    ]);
    expect(gateway.log.filter((line) => line.event === "transaction_failed")).toEqual([]);
  });

  it("that comes while a turn is in work gets the next turn, with all others and in their order", async () => {
    const gateway = await world.startGateway(DEFERRED, RARELY);
    world.simulator.setFaults({ modelDelayMs: 2500 });
    await gateway.text({ body: "My pipe leaks" });
    await asked(gateway);
    const more = ["In the kitchen", "At 5 High Street", "Tomorrow please"];
    for (const body of more) expect(await gateway.text({ body })).toEqual(EMPTY);
    expect(countOf(gateway, "llm_request_completed")).toBe(0);
    world.simulator.setFaults({ modelDelayMs: 0 });

    await world.simulator.waitForSent(2, { to: CUSTOMER }, 15_000);
    const rows = await settledMessagesWith(world, CUSTOMER);
    expect(rows.map(({ kind }) => kind)).toEqual([
      "text",
      "text",
      "text",
      "text",
      "reply",
      "reply",
    ]);
    expect(rows.filter(({ status }) => status === "RECEIVED")).toHaveLength(4);
    expect(world.simulator.modelCalls()).toHaveLength(2);
    expect(lastShown(world).filter((text) => more.includes(text))).toEqual(more);
  });

  it("is a duplicate when it comes again, also at the same moment", async () => {
    const gateway = await world.startGateway(DEFERRED);
    const again = () => gateway.text({ sid: "SMtwice", body: "My pipe leaks" });
    expect(await Promise.all([again(), again(), again()])).toEqual([EMPTY, EMPTY, EMPTY]);
    expect(await again()).toEqual(EMPTY);
    expect(countOf(gateway, "duplicate_message_dropped")).toBe(3);
    expect(countOf(gateway, "message_deferred")).toBe(1);
    expect(await inboundOf(world, CUSTOMER)).toHaveLength(1);
  });

  it("is stored with others of a new customer that come at the same moment", async () => {
    const gateway = await world.startGateway(DEFERRED);
    const bodies = Array.from({ length: 20 }, (_, index) => `Detail ${index}`);
    const answers = await Promise.all(bodies.map((body) => gateway.text({ body })));
    expect(answers).toEqual(bodies.map(() => EMPTY));
    const rows = await eventually(
      () => inboundOf(world, CUSTOMER),
      (all) => all.every(({ status }) => status === "RECEIVED"),
    );
    expect(rows.map(({ body }) => body).toSorted()).toEqual(bodies.toSorted());
    expect(await countRows(world)).toMatchObject({ Customer: 1, Conversation: 1 });
  });

  it("that cannot be stored is refused, and nothing of it is written", async () => {
    const door = await DatabaseDoor.before(world);
    const gateway = await world.startGateway({ ...DEFERRED, DATABASE_URL: door.url });
    await door.shut();
    expect(await gateway.text({ sid: "SMdown" })).toMatchObject({
      status: 500,
      body: "Message processing failed - will retry",
    });
    expect(countOf(gateway, "transaction_failed")).toBe(1);
    expect(countOf(gateway, "message_deferred")).toBe(0);
    expect(await countRows(world)).toEqual(NO_ROWS);

    await door.open();
    expect(await gateway.text({ sid: "SMdown" })).toEqual(EMPTY);
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    await gateway.stop();
    await door.shut();
  });

  it("releases what was held back until they wrote", async () => {
    const gateway = await world.startGateway(DEFERRED);
    await gateway.text({ body: "My pipe leaks" });
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    await world.query(`UPDATE "Message" SET "status" = 'HELD' WHERE "direction" = 'OUTBOUND'`);
    await gateway.text({ body: "Are you there?" });
    expect(await world.simulator.waitForSent(3, { to: CUSTOMER })).toHaveLength(3);
  });
});

it("STOP counts from its acknowledgement: what a turn in work answers does not leave", async () => {
  const gateway = await world.startGateway(DEFERRED);
  world.simulator.setFaults({ modelDelayMs: 2500 });
  await gateway.text({ body: "My pipe leaks" });
  await asked(gateway);
  expect(await gateway.text({ body: "STOP" })).toEqual(EMPTY);
  expect(
    await world.query(`SELECT "optedOutAt" IS NOT NULL AS "optedOut" FROM "Customer"`),
  ).toEqual([{ optedOut: true }]);
  await eventually(
    () => inboundOf(world, CUSTOMER),
    (rows) => rows.every(({ status }) => status === "RECEIVED"),
  );
  await settledMessagesWith(world, CUSTOMER);
  expect(world.simulator.sent({ to: CUSTOMER })).toEqual([]);
});

it("operators and numbers of nobody's are answered as ever", async () => {
  const gateway = await world.startGateway(DEFERRED);
  expect(await gateway.text({ from: demoTenant.operatorPhone, body: "HELP" })).toEqual(EMPTY);
  await world.simulator.waitForSent(1, { to: demoTenant.operatorPhone });
  expect(await gateway.text({ to: "+447000000009" })).toEqual(EMPTY);
  await world.simulator.waitForSent(1, { to: CUSTOMER });
  expect(countOf(gateway, "message_deferred")).toBe(0);
  expect(await countRows(world)).toMatchObject({ Customer: 0, UnroutedMessage: 1 });
});
