import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { PLACES } from "../src/conversations/deferred-worker.ts";
import { DatabaseDoor } from "./database-door.ts";
import { addTenant, DEFERRED, storeEarlier } from "./deferred-world.ts";
import { eventually } from "./eventually.ts";
import {
  createWorld,
  CUSTOMER,
  DEMO_NUMBER,
  textTo,
  type RunningGateway,
  type World,
} from "./harness.ts";
import { countRows, messagesWith, NO_ROWS, settledMessagesWith } from "./rows.ts";
import { spawnGateway } from "./spawn-gateway.ts";

const EMPTY = {
  status: 200,
  contentType: expect.stringContaining("text/xml"),
  body: "<Response/>",
};
const HOLDING = "Thanks, we have your message and will be back to you shortly.";
/** So long that only a call of another process can be why something is looked for. */
const RARELY = { pollMs: 60_000 };
const OFTEN = { pollMs: 50 };

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

function asked(gateway: RunningGateway) {
  return gateway.logged((line) => line.event === "llm_request");
}

function countOf(gateway: RunningGateway, event: string): number {
  return gateway.log.filter((line) => line.event === event).length;
}

/** What the model was shown when it last answered. */
function lastShown(): string[] {
  const call = world.simulator.modelCalls().findLast(({ outcome }) => outcome === "answered");
  return (call?.messages ?? []).map(({ content }) => content);
}

function inboundOf(person: string) {
  return messagesWith(world, person).then((rows) =>
    rows.filter(({ direction }) => direction === "INBOUND"),
  );
}

describe("a customer's text", () => {
  it("is acknowledged while the model hangs, once stored, and answered at the next try", async () => {
    const gateway = await world.startGateway({ ...DEFERRED, WEBHOOK_DEADLINE_MS: "1000" });
    world.simulator.setFaults({ model: { kind: "hang", times: 1 } });
    expect(await gateway.text({ sid: "SMhang", body: "My pipe leaks" })).toEqual(EMPTY);
    expect(await inboundOf(CUSTOMER)).toMatchObject([
      { status: "DEFERRED", body: "My pipe leaks" },
    ]);
    expect(gateway.log.flatMap(({ event }) => event ?? []).slice(0, 2)).toEqual([
      "message_received",
      "message_deferred",
    ]);

    const [reply] = await world.simulator.waitForSent(1, { to: CUSTOMER }, 10_000);
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
    world.simulator.setFaults({ modelDelayMs: 600 });
    await gateway.text({ body: "My pipe leaks" });
    await asked(gateway);
    const more = ["In the kitchen", "At 5 High Street", "Tomorrow please"];
    for (const body of more) expect(await gateway.text({ body })).toEqual(EMPTY);
    expect(countOf(gateway, "llm_request_completed")).toBe(0);

    await world.simulator.waitForSent(2, { to: CUSTOMER });
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
    expect(lastShown().filter((text) => more.includes(text))).toEqual(more);
  });

  it("is a duplicate when it comes again, also at the same moment", async () => {
    const gateway = await world.startGateway(DEFERRED);
    const again = () => gateway.text({ sid: "SMtwice", body: "My pipe leaks" });
    expect(await Promise.all([again(), again(), again()])).toEqual([EMPTY, EMPTY, EMPTY]);
    expect(await again()).toEqual(EMPTY);
    expect(countOf(gateway, "duplicate_message_dropped")).toBe(3);
    expect(countOf(gateway, "message_deferred")).toBe(1);
    expect(await inboundOf(CUSTOMER)).toHaveLength(1);
  });

  it("is stored with others of a new customer that come at the same moment", async () => {
    const gateway = await world.startGateway(DEFERRED);
    const bodies = Array.from({ length: 20 }, (_, index) => `Detail ${index}`);
    const answers = await Promise.all(bodies.map((body) => gateway.text({ body })));
    expect(answers).toEqual(bodies.map(() => EMPTY));
    const rows = await eventually(
      () => inboundOf(CUSTOMER),
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
  world.simulator.setFaults({ modelDelayMs: 800 });
  await gateway.text({ body: "My pipe leaks" });
  await asked(gateway);
  expect(await gateway.text({ body: "STOP" })).toEqual(EMPTY);
  expect(
    await world.query(`SELECT "optedOutAt" IS NOT NULL AS "optedOut" FROM "Customer"`),
  ).toEqual([{ optedOut: true }]);
  await eventually(
    () => inboundOf(CUSTOMER),
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

describe("of two processes", () => {
  it("the other leaves a text alone that is in work, however slow the model is", async () => {
    const one = await world.startGateway(DEFERRED, OFTEN);
    await world.startGateway(DEFERRED, OFTEN);
    world.simulator.setFaults({ modelDelayMs: 1500 });
    const customers = Array.from({ length: 5 }, (_, index) => `+44712345100${index}`);
    for (const from of customers) await one.text({ from });
    await world.simulator.waitForSent(5);
    expect(world.simulator.modelCalls()).toHaveLength(5);
    expect(countOf(one, "llm_request_completed")).toBe(5);
  });

  it("the other takes what one has no room for, long before its next look, and each text is answered once", async () => {
    const env = { ...DEFERRED, TWILIO_SEGMENTS_PER_SECOND: "1000" };
    const one = await world.startGateway(env, RARELY);
    const two = await world.startGateway(env, RARELY);
    world.simulator.setFaults({ modelDelayMs: 1000 });
    const customers = await storeEarlier(world, {
      customers: PLACES / 2 + 30,
      prefix: "+44712346",
      secondsAgo: 1,
    });
    // Its worker looks around when it has answered this.
    await one.text({ from: CUSTOMER });
    await world.simulator.waitForSent(customers.length + 1, {}, 30_000);
    expect(countOf(two, "llm_request_completed")).toBeGreaterThan(0);
    const answered = world.simulator.sent().map(({ to }) => to);
    expect(answered.toSorted()).toEqual([...customers, CUSTOMER].toSorted());
  });

  it("each takes texts of the same customer, which are answered in their order", async () => {
    const gateways = [
      await world.startGateway(DEFERRED, OFTEN),
      await world.startGateway(DEFERRED, OFTEN),
    ];
    world.simulator.setFaults({ modelDelayMs: 150 });
    const bodies = Array.from({ length: 12 }, (_, index) => `Detail ${index + 101}`);
    for (const [index, body] of bodies.entries()) {
      const { url = "" } = gateways[index % 2] ?? {};
      expect(await textTo(world.simulator, url, { body })).toEqual(EMPTY);
    }
    await eventually(
      () => inboundOf(CUSTOMER),
      (rows) => rows.every(({ status }) => status === "RECEIVED"),
    );
    const rows = await settledMessagesWith(world, CUSTOMER);
    const texts = rows.filter(({ direction }) => direction === "INBOUND");
    expect(texts.map(({ body }) => body)).toEqual(bodies);
    expect(rows.at(-1)?.kind).toBe("reply");
    expect(lastShown().filter((text) => bodies.includes(text))).toEqual(bodies);
    const replies = rows.filter(({ kind }) => kind === "reply");
    expect(world.simulator.sent({ to: CUSTOMER }).map(({ sid }) => sid)).toEqual(
      replies.map(({ providerMessageId }) => providerMessageId),
    );
  });

  it("one that is killed in its turn leaves the text to the other when its claim ends", async () => {
    const killed = await spawnGateway(world, { ...DEFERRED, WEBHOOK_DEADLINE_MS: "1000" });
    world.simulator.setFaults({ model: { kind: "hang" } });
    const inWork = killed.logged((line) => line.event === "llm_request");
    expect(await textTo(world.simulator, killed.url, { body: "My pipe leaks" })).toEqual(EMPTY);
    await inWork;
    killed.process.kill("SIGKILL");
    await killed.exited;
    world.simulator.setFaults({ model: { kind: "none" } });
    await world.startGateway(DEFERRED);
    await world.simulator.waitForSent(1, { to: CUSTOMER }, 15_000);
    expect(await inboundOf(CUSTOMER)).toMatchObject([{ status: "RECEIVED", attempts: 2 }]);
  }, 30_000);
});

it("a tenant whose texts would fill every place leaves others theirs", async () => {
  const number = "+447987654300";
  await addTenant(world, number);
  await storeEarlier(world, { customers: PLACES + 50, prefix: "+44712347", secondsAgo: 1 });
  world.simulator.setFaults({ modelDelayMs: 6000 });
  const gateway = await world.startGateway(DEFERRED);
  await eventually(
    async () => countOf(gateway, "llm_request"),
    (count) => count >= PLACES / 2,
  );
  expect(await gateway.text({ to: number })).toEqual(EMPTY);
  const other = (line: { event?: string; [field: string]: unknown }) =>
    line.event === "llm_request" && line["tenantId"] !== demoTenant.id;
  await gateway.logged(other);
  expect(countOf(gateway, "llm_request_completed")).toBe(0);
}, 40_000);

describe("the holding text", () => {
  it("goes once to who has waited for a minute, and never to who wants or needs none", async () => {
    const [waits, optedOut, takenOver, twice] = await storeEarlier(world, {
      customers: 4,
      prefix: "+44712348",
      secondsAgo: 61,
      leased: true,
    });
    const [young] = await storeEarlier(world, {
      customers: 1,
      prefix: "+44712349",
      secondsAgo: 30,
      leased: true,
    });
    await world.query(`UPDATE "Customer" SET "optedOutAt" = now() WHERE "phone" = $1`, [optedOut]);
    await world.query(
      `UPDATE "Conversation" v SET "humanUntil" = now() + interval '1 hour' FROM "Customer" c
       WHERE c."id" = v."customerId" AND c."phone" = $1`,
      [takenOver],
    );
    await world.query(
      `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
         "body", "media", "status", "requestId", "providerMessageId", "createdAt", "dueAt", "leasedUntil")
       SELECT gen_random_uuid(), "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
         'Hello?', "media", "status", "requestId", 'SMsecond', "createdAt", "dueAt", "leasedUntil"
       FROM "Message" WHERE "sender" = $1`,
      [twice],
    );
    await world.startGateway(DEFERRED, OFTEN);
    const told = [waits, twice] as string[];
    await world.simulator.waitForSent(2);
    // Whoever comes later is told in a round that has looked at all of these again.
    const [late = ""] = await storeEarlier(world, {
      customers: 1,
      prefix: "+44712350",
      secondsAgo: 61,
      leased: true,
    });
    await world.simulator.waitForSent(1, { to: late });
    const sent = world.simulator.sent();
    expect(sent.map(({ to }) => to).toSorted()).toEqual([...told, late].toSorted());
    expect(sent.map(({ body }) => body)).toEqual([HOLDING, HOLDING, HOLDING]);
    for (const person of [young, optedOut, takenOver])
      expect(await messagesWith(world, person ?? "")).toHaveLength(1);
  });

  it("is not sent while the tenant is paused", async () => {
    const number = "+447987654300";
    await addTenant(world, number);
    const [paused = ""] = await storeEarlier(world, {
      customers: 1,
      prefix: "+44712351",
      secondsAgo: 61,
      leased: true,
    });
    await world.query(`UPDATE "Client" SET "outboundPaused" = true WHERE "id" = $1`, [
      demoTenant.id,
    ]);
    const gateway = await world.startGateway(DEFERRED, { ...OFTEN, holdingAfterMs: 300 });
    world.simulator.setFaults({ modelDelayMs: 2000 });
    await gateway.text({ to: number });
    const [first, second] = await world.simulator.waitForSent(2, { to: CUSTOMER });
    expect(first?.body).toBe(HOLDING);
    expect(second?.body).not.toBe(HOLDING);
    expect(world.simulator.sent({ to: paused })).toEqual([]);
    expect(await messagesWith(world, DEMO_NUMBER)).toHaveLength(1);
  });
});
