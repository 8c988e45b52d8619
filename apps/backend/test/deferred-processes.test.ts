import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { startSimulator } from "@jobrun/simulator";
import { PLACES } from "../src/conversations/deferred-worker.ts";
import {
  addTenant,
  countOf,
  DEFERRED,
  EMPTY,
  inboundOf,
  lastShown,
  OFTEN,
  RARELY,
  storeEarlier,
} from "./deferred-world.ts";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, textTo, type World } from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";
import { spawnGateway } from "./spawn-gateway.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

describe("of two processes", () => {
  it("the other leaves a text alone that is in work, however slow the model is", async () => {
    const one = await world.startGateway(DEFERRED, OFTEN);
    await world.startGateway(DEFERRED, OFTEN);
    world.simulator.setFaults({ modelDelayMs: 1500 });
    const customers = Array.from({ length: 5 }, (_, index) => `+44712345100${index}`);
    for (const from of customers) await one.text({ from });
    await world.simulator.waitForSent(5, {}, 25_000);
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
    await world.simulator.waitForSent(customers.length + 1, {}, 50_000);
    expect(countOf(two, "llm_request_completed")).toBeGreaterThan(0);
    const answered = world.simulator.sent().map(({ to }) => to);
    expect(answered.toSorted()).toEqual([...customers, CUSTOMER].toSorted());
  }, 60_000);

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
      () => inboundOf(world, CUSTOMER),
      (rows) => rows.every(({ status }) => status === "RECEIVED"),
    );
    const rows = await settledMessagesWith(world, CUSTOMER);
    const texts = rows.filter(({ direction }) => direction === "INBOUND");
    expect(texts.map(({ body }) => body)).toEqual(bodies);
    expect(rows.at(-1)?.kind).toBe("reply");
    expect(lastShown(world).filter((text) => bodies.includes(text))).toEqual(bodies);
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
    await world.simulator.waitForSent(1, { to: CUSTOMER }, 30_000);
    expect(await inboundOf(world, CUSTOMER)).toMatchObject([{ status: "RECEIVED", attempts: 2 }]);
  }, 60_000);
});

it("a tenant whose texts would fill every place leaves others theirs", async () => {
  const number = "+447987654300";
  await addTenant(world, number);
  await storeEarlier(world, { customers: PLACES + 50, prefix: "+44712347", secondsAgo: 1 });
  // Of its own, to be closed: nobody is answered, and no place is free again, before that.
  const model = await startSimulator();
  model.setFaults({ model: { kind: "hang" } });
  try {
    const gateway = await world.startGateway({
      ...DEFERRED,
      WEBHOOK_DEADLINE_MS: "60000",
      OPENAI_TIMEOUT_MS: "60000",
      OPENAI_BASE_URL: model.openaiUrl,
      OPENAI_API_KEY: model.openaiKey,
    });
    await eventually(
      async () => countOf(gateway, "llm_request"),
      (count) => count >= PLACES / 2,
    );
    expect(await gateway.text({ to: number })).toEqual(EMPTY);
    await gateway.logged(
      (line) => line.event === "llm_request" && line["tenantId"] !== demoTenant.id,
    );
    expect(model.modelCalls()).toEqual([]);
  } finally {
    await model.close();
  }
}, 60_000);
