import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Database } from "@jobrun/db";
import { AlertWorld, MINUTE, withSms } from "../../test/alert-world.ts";

const world = new AlertWorld();

beforeAll(() => world.start());
beforeEach(() => world.reset());
afterAll(() => world.stop());

describe("an incident", () => {
  it("raised again is counted, not opened again", async () => {
    const alerts = world.service();
    await alerts.raise({ type: "UNROUTED_MESSAGE" });
    await alerts.raise({ type: "UNROUTED_MESSAGE" });
    expect((await alerts.status()).open).toEqual([
      {
        type: "UNROUTED_MESSAGE",
        severity: "warning",
        state: "OPEN",
        raisedAt: "2026-11-01T09:00:00.000Z",
        occurrences: 2,
      },
    ]);
    expect(world.events("alert_raised")).toHaveLength(1);
  });

  it("of another resource is another one", async () => {
    const alerts = world.service();
    await alerts.raise({ type: "BREAKER_OPEN", resource: "twilio" });
    await alerts.raise({ type: "BREAKER_OPEN", resource: "evolution" });
    await alerts.resolve("BREAKER_OPEN", "twilio");
    expect((await alerts.status()).open).toHaveLength(1);
    expect(world.events("alert_resolved")).toMatchObject([{ key: "BREAKER_OPEN:twilio" }]);
  });

  it("raised in a transaction stands or falls with it", async () => {
    const alerts = world.service();
    const failed = world.db.serviceTransaction(async (tx) => {
      await alerts.raiseIn(tx, { type: "UNROUTED_MESSAGE" });
      throw new Error("rolled back");
    });
    await expect(failed).rejects.toThrow("rolled back");
    expect((await alerts.status()).open).toEqual([]);
    await world.db.serviceTransaction((tx) => alerts.raiseIn(tx, { type: "UNROUTED_MESSAGE" }));
    expect((await alerts.status()).open).toHaveLength(1);
  });

  it("opens when enough was counted and closes when it was not seen for a minute", async () => {
    const alerts = world.service();
    for (let i = 0; i < 5; i += 1) alerts.recordTransactionFailure();
    await alerts.tick();
    expect((await alerts.status()).open).toMatchObject([{ type: "TRANSACTIONS_FAILING" }]);
    world.clock += 5 * MINUTE;
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
    expect(world.events("alert_resolved")).toHaveLength(1);
  });

  it("of refused credentials opens at the first refusal", async () => {
    const alerts = world.service();
    alerts.recordAssistantFailure("auth");
    await alerts.tick();
    expect((await alerts.status()).open).toMatchObject([{ type: "ASSISTANT_AUTH" }]);
  });

  it("counted by one process is not closed by another that counted nothing", async () => {
    const busy = world.service();
    for (let i = 0; i < 10; i += 1) busy.recordSignatureFailure();
    await busy.tick();
    await world.service().tick();
    expect((await busy.status()).open).toMatchObject([{ type: "SIGNATURE_BURST" }]);
  });

  it.each([
    ["MESSAGE_DEAD", { status: "DEAD" }],
    ["MESSAGE_UNKNOWN_STUCK", { status: "UNKNOWN", agoMs: 2 * MINUTE }],
    ["DEFERRED_STUCK", { status: "DEFERRED", agoMs: 2 * MINUTE }],
  ] as const)("%s is found in the database and closes when it is gone", async (type, message) => {
    const alerts = world.service();
    await world.storeMessage(message);
    await alerts.tick();
    await alerts.tick();
    expect((await alerts.status()).open).toMatchObject([{ type, occurrences: 1 }]);
    await world.db.service.message.deleteMany();
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
  });
});

describe("with ALERTS_DISABLED", () => {
  it("incidents are recorded, nobody is told, and that is said", async () => {
    const alerts = world.service({ ...withSms, disabled: true });
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect([world.posts, await world.texts()]).toEqual([[], []]);
    expect(world.events("alert_suppressed")).toMatchObject([{ reason: "disabled" }]);
    expect(await alerts.status()).toMatchObject({
      enabled: false,
      reason: "ALERTS_DISABLED env var set to true",
      open: [{ type: "POOL_EMPTY" }],
    });
  });
});

describe("without the database", () => {
  it("nothing throws, and the founder is told by the webhook, once", async () => {
    const closed = world.open("postgresql://gateway@127.0.0.1:1/none");
    const alerts = world.service(withSms, closed);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.resolve("POOL_LOW");
    for (let i = 0; i < 5; i += 1) alerts.recordTransactionFailure();
    await alerts.tick();
    await alerts.tick();
    expect(world.posts.map(({ type }) => type).toSorted()).toEqual([
      "POOL_EMPTY",
      "TRANSACTIONS_FAILING",
    ]);
    expect((await alerts.status()).open).toMatchObject([{ occurrences: 2 }, { occurrences: 1 }]);
    await alerts.stop();
    await closed.close();
  });

  it("what was kept in memory is stored when it is back, and not told twice", async () => {
    let down = true;
    const refuse = () => Promise.reject(new Error("the database is down"));
    const flaky: Database = {
      ...world.db,
      get service() {
        return down
          ? ({ $queryRaw: refuse, $executeRaw: refuse } as unknown as Database["service"])
          : world.db.service;
      },
    };
    const alerts = world.service({}, flaky);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    down = false;
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["webhook DELIVERED"]);
    expect(world.posts).toHaveLength(1);
    expect((await alerts.status()).open).toMatchObject([{ type: "POOL_EMPTY", occurrences: 1 }]);
  });
});
