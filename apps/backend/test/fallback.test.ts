import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { EMPTY, HOLDING, inboundOf, lastShown } from "./deferred-world.ts";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, type RunningGateway, type World } from "./harness.ts";
import { messagesWith, settledMessagesWith } from "./rows.ts";

let world: World;
let gateway: RunningGateway;

beforeEach(async () => {
  world = await createWorld();
  gateway = await world.startGateway({ DEFERRED_OPERATOR_ALERT_MINUTES: "30" });
  world.simulator.setFaults({ model: { kind: "error", status: 503 } });
});
afterEach(() => world.close());

function fallback(sid: string, body: string, from = CUSTOMER) {
  return gateway.text({ sid, body, from, path: "/sms/fallback" });
}

function repairModel() {
  world.simulator.setFaults({ model: { kind: "none" } });
}

/** Resolves when the worker has tried to answer that text, and failed. */
function triedInVain(sid: string) {
  return gateway.logged(
    (line) =>
      line.message.startsWith("deferred message not answered") && line["providerMessageId"] === sid,
  );
}

const inbound = () => inboundOf(world, CUSTOMER);

describe("a text that comes to the fallback", () => {
  it("is stored without the model and held with one text, however many of one customer wait", async () => {
    expect(await fallback("SMheld1", "My pipe leaks")).toEqual(EMPTY);
    expect(await fallback("SMheld2", "In the kitchen")).toEqual(EMPTY);
    expect(await fallback("SMheld3", "At 5 High Street")).toEqual(EMPTY);
    await world.simulator.waitForSent(1, { to: CUSTOMER });

    expect(
      (await settledMessagesWith(world, CUSTOMER)).map(({ kind, status }) => [kind, status]),
    ).toEqual([
      ["text", "DEFERRED"],
      ["holding", "SENT"],
      ["text", "DEFERRED"],
      ["text", "DEFERRED"],
    ]);
    expect(world.simulator.sent().map(({ body }) => body)).toEqual([HOLDING]);
  });

  it("is stored also when 20 of one customer come at once, with one holding text", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => fallback(`SMburst${index}`, `Detail ${index}`)),
    );
    expect(answers).toEqual(answers.map(() => EMPTY));
    expect(await inbound()).toHaveLength(20);
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    await settledMessagesWith(world, CUSTOMER);
    expect(world.simulator.sent().map(({ body }) => body)).toEqual([HOLDING]);
  });

  it("is answered by the worker when the model is back: one reply that saw all", async () => {
    await fallback("SMback1", "My pipe leaks");
    await fallback("SMback2", "At 5 High Street");
    await triedInVain("SMback1");
    // Nothing was lost and no provider gets a 500, so nobody is to read that a transaction failed.
    expect(gateway.log.filter((line) => line.event === "transaction_failed")).toEqual([]);
    repairModel();

    const [, reply] = await world.simulator.waitForSent(2, { to: CUSTOMER }, 15_000);
    expect(reply?.body).not.toBe(HOLDING);
    expect(lastShown(world)).toEqual(expect.arrayContaining(["My pipe leaks", "At 5 High Street"]));
    const rows = await settledMessagesWith(world, CUSTOMER);
    expect(rows.map(({ kind, status }) => [kind, status])).toEqual([
      ["text", "RECEIVED"],
      ["holding", "SENT"],
      ["text", "RECEIVED"],
      ["reply", "SENT"],
    ]);
  });

  it("is a duplicate when it comes again, at either address", async () => {
    await fallback("SMrepeat", "My pipe leaks");
    expect(await gateway.text({ sid: "SMrepeat", body: "My pipe leaks" })).toEqual(EMPTY);
    expect(await fallback("SMrepeat", "My pipe leaks")).toEqual(EMPTY);
    expect(gateway.log.filter((line) => line.event === "duplicate_message_dropped")).toHaveLength(
      2,
    );
    expect(await inbound()).toHaveLength(1);
  });

  it("is answered together with the customer's next text", async () => {
    await fallback("SMnext1", "My pipe leaks");
    await triedInVain("SMnext1");
    repairModel();
    expect(await gateway.text({ sid: "SMnext2", body: "At 5 High Street" })).toEqual(EMPTY);

    expect(lastShown(world)).toEqual(expect.arrayContaining(["My pipe leaks", "At 5 High Street"]));
    expect(await inbound()).toMatchObject([{ status: "RECEIVED" }, { status: "RECEIVED" }]);
    await world.simulator.waitForSent(2, { to: CUSTOMER });
    const rows = await settledMessagesWith(world, CUSTOMER);
    expect(rows.filter((row) => row.kind === "reply")).toHaveLength(1);
  });
});

it("the operator is sent the customer's own words once when nobody answered in time", async () => {
  await gateway.stop();
  gateway = await world.startGateway({ DEFERRED_OPERATOR_ALERT_MINUTES: "0.005" });
  const other = "+447123480001";
  await fallback("SMwait1", "My pipe leaks");
  const [told] = await world.simulator.waitForSent(1, { to: demoTenant.operatorPhone });
  expect(told?.body).toContain("My pipe leaks");
  expect(told?.body).toContain(CUSTOMER);

  // The next round that tells about somebody else looks at the first text again.
  await fallback("SMwait2", "My lock is broken", other);
  const texts = await world.simulator.waitForSent(2, { to: demoTenant.operatorPhone });
  expect(texts[1]?.body).toContain("My lock is broken");
  const rows = await eventually(
    () => messagesWith(world, demoTenant.operatorPhone),
    (found) => found.every((row) => row.status === "SENT"),
  );
  expect(rows.map((row) => row.kind)).toEqual(["deferred_alert", "deferred_alert"]);
  expect(await inbound()).toMatchObject([{ status: "DEFERRED" }]);
});
