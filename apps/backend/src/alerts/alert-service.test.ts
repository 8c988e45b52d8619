import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
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

describe("a stop", () => {
  const stop = (data: {
    channel: string;
    code: string;
    sender?: string;
    recipientPrefix?: string;
  }) => world.db.service.channelStop.create({ data: { ...data, probeAt: new Date(world.clock) } });
  const told = () => world.posts.map(({ summary }) => summary);
  afterEach(() => world.db.service.channelStop.deleteMany());

  it("of a second channel is told as well, and the end of one leaves the other open", async () => {
    const alerts = world.service();
    await stop({ channel: "sms", code: "30002" });
    await alerts.tick();
    await stop({ channel: "whatsapp", code: "131042" });
    await alerts.tick();
    expect(told()).toEqual([
      "Channel sms is stopped with the code 30002: all its messages wait",
      "Channel whatsapp is stopped with the code 131042: all its messages wait",
    ]);
    await world.db.service.channelStop.deleteMany({ where: { channel: "sms" } });
    await alerts.tick();
    expect(world.events("alert_resolved")).toMatchObject([{ key: "CHANNEL_STOPPED:sms" }]);
    expect((await alerts.status()).open).toMatchObject([{ type: "CHANNEL_STOPPED" }]);
    await world.db.service.channelStop.deleteMany();
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
  });

  it("says what it covers, with our numbers masked and without any customer's", async () => {
    const alerts = world.service();
    const customers = ["+447700900461", "+447700900462", "GB.13491208655301741918"];
    await stop({ channel: "sms", code: "21606", sender: "+447987654321" });
    await stop({ channel: "sms", code: "21606", sender: "+447987654322" });
    await stop({ channel: "sms", code: "21408", recipientPrefix: "+33" });
    await stop({ channel: "whatsapp", code: "133010", sender: "106540352242922" });
    for (const recipientPrefix of customers)
      await stop({ channel: "whatsapp", code: "131030", recipientPrefix });
    await alerts.tick();
    expect(told().toSorted()).toEqual([
      "Channel sms is stopped with the code 21408: what goes to +33 waits",
      "Channel sms is stopped with the code 21606: what goes from +44*****4321 waits",
      "Channel sms is stopped with the code 21606: what goes from +44*****4322 waits",
      "Channel whatsapp is stopped with the code 131030: what goes to single recipients waits",
      "Channel whatsapp is stopped with the code 133010: what goes from *****2922 waits",
    ]);
    const alertsStored = await world.db.service.alert.findMany();
    const said = JSON.stringify([world.posts, world.log, alertsStored]);
    expect(said).not.toMatch(/0090046|13491208|79876543|10654035/);
  });

  it("that an older version told under one key for all of them ends with it", async () => {
    const alerts = world.service();
    await alerts.raise({ type: "CHANNEL_STOPPED" });
    await stop({ channel: "sms", code: "30002" });
    await alerts.tick();
    const open = await world.db.service.alert.findMany({ where: { state: "OPEN" } });
    expect(open).toMatchObject([{ key: "CHANNEL_STOPPED:sms" }]);
  });

  it("that could only be kept in memory ends there as well", async () => {
    const refuse = () => Promise.reject(new Error("the database is read-only"));
    const readOnly: Database = {
      ...world.db,
      service: { $queryRaw: refuse, $executeRaw: refuse } as unknown as Database["service"],
      serviceTransaction: (work) =>
        world.db.serviceTransaction(async (tx) => {
          await tx.$executeRaw`SET TRANSACTION READ ONLY`;
          return work(tx);
        }),
    };
    const alerts = world.service({}, readOnly);
    await stop({ channel: "sms", code: "30002" });
    await alerts.tick();
    expect((await alerts.status()).open).toMatchObject([{ type: "CHANNEL_STOPPED" }]);
    await world.db.service.channelStop.deleteMany();
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
  });

  it("of campaigns alone is another alert's", async () => {
    const alerts = world.service();
    const probeAt = new Date(world.clock);
    const data = { channel: "whatsapp", kind: "campaign", code: "template", probeAt };
    await world.db.service.channelStop.create({ data });
    await alerts.tick();
    expect(told()).toEqual([]);
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
