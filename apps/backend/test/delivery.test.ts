import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";
import { messagesWith, settledMessagesWith } from "./rows.ts";

/** Shorter waits than production's. */
const SOON = {
  pollMs: 100,
  retryScheduleMs: [50, 50],
  breakerOpenMs: 300,
  stopProbeMs: 500,
};

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

interface Text {
  tenant: string;
  sender: string;
  recipient: string;
  kind: string;
  priority: number;
  status: string;
  segments: number;
  expiresInSeconds: number | null;
}

/** Writes a text to the outbox as a commit does. */
async function queue(text: Partial<Text> = {}): Promise<string> {
  const id = newId();
  const { tenant = null, sender = DEMO_NUMBER, recipient = CUSTOMER, kind = "reply" } = text;
  const { priority = 0, status = "QUEUED", segments = 1, expiresInSeconds = null } = text;
  await world.query(
    `INSERT INTO "Message" ("id", "clientId", "direction", "channel", "kind", "sender", "recipient", "body", "segments",
       "priority", "status", "expiresAt")
     VALUES ($1::uuid, $2, 'OUTBOUND', 'sms', $3, $4, $5, $1::uuid::text, $6, $7, $8::"MessageStatus", now() + make_interval(secs => $9))`,
    [id, tenant, kind, sender, recipient, segments, priority, status, expiresInSeconds],
  );
  return id;
}

async function createTenant(phoneNumber: string): Promise<string> {
  const id = newId();
  await world.query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone") VALUES ($1, 'Another business', '+447700900555')`,
    [id],
  );
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
    [phoneNumber, id],
  );
  return id;
}

async function statusOf(id: string) {
  const [row] = await world.query<{ status: string; attempts: number; errorCode: string | null }>(
    `SELECT "status", "attempts", "errorCode" FROM "Message" WHERE "id" = $1`,
    [id],
  );
  return row;
}

/** Resolves when the row is as expected. */
function becomes(id: string, status: string) {
  return eventually(
    () => statusOf(id),
    (row) => row?.status === status,
  );
}

async function alertsOpen(): Promise<string[]> {
  const rows = await world.query<{ key: string }>(
    `SELECT "key" FROM "Alert" WHERE "state" <> 'RESOLVED' ORDER BY "key"`,
  );
  return rows.map(({ key }) => key);
}

const bodies = (to?: string) => world.simulator.sent(to === undefined ? {} : { to });

describe("a text the provider cannot take for a while", () => {
  it("follows the schedule and is DEAD when it is used up, with an alert", async () => {
    const id = await queue();
    // A provider that asks for more than 10 s is left to the schedule: no tries in memory.
    world.simulator.setFaults({ twilio: { kind: "error", status: 429, retryAfterSeconds: 11 } });
    const gateway = await world.startGateway({}, SOON);
    await eventually(
      () => statusOf(id),
      (row) => row?.status === "QUEUED" && row.attempts === 1,
    );
    const [row] = await world.query<{ later: boolean; failures: number }>(
      `SELECT "dueAt" > now() + interval '8 seconds' AS "later", "failures" FROM "Message" WHERE "id" = $1`,
      [id],
    );
    expect(row).toEqual({ later: true, failures: 1 });

    await world.query(`UPDATE "Message" SET "dueAt" = now(), "failures" = 2 WHERE "id" = $1`, [id]);
    await gateway.logged((line) => line.event === "message_dead");
    expect(await statusOf(id)).toMatchObject({ status: "DEAD", errorCode: "20429" });
    await eventually(alertsOpen, (keys) => keys.includes("MESSAGE_DEAD"));
  });

  it("does not keep another tenant's customers waiting", async () => {
    const [busy, calm] = ["+447700900601", "+447700900602"];
    const [first, second] = [await createTenant(busy), await createTenant(calm)];
    const blocked = Array.from({ length: 80 }, (_, n) => `+4477009${String(10_000 + n)}`);
    world.simulator.setFaults({ twilioDelayMs: 2500 });
    for (const recipient of blocked) await queue({ tenant: first, sender: busy, recipient });
    await queue({ tenant: second, sender: calm });
    await world.startGateway({}, SOON);
    await world.simulator.waitForSent(1, { from: calm });
    expect(world.simulator.sent({ from: busy }).length).toBeLessThanOrEqual(32);
    await world.simulator.waitForSent(80, { from: busy }, 15_000);
  });
});

describe("the order of the outbox", () => {
  it("lets replies go before campaigns", async () => {
    for (let n = 0; n < 100; n += 1)
      await queue({ kind: "campaign", priority: 1, recipient: `+4477009${String(20_000 + n)}` });
    const reply = await queue();
    world.simulator.setFaults({ twilioDelayMs: 50 });
    await world.startGateway({}, SOON);
    const sent = await world.simulator.waitForSent(101, {}, 15_000);
    expect(sent.findIndex(({ body }) => body === reply)).toBeLessThan(64);
    expect(new Set(sent.map(({ body }) => body)).size).toBe(101);
  });

  it("sends no faster than a sender's rate once its burst is used up", async () => {
    for (let n = 0; n < 12; n += 1)
      await queue({ segments: 5, recipient: `+4477009${String(30_000 + n)}` });
    await queue({ sender: "+447700900777" });
    // 30 segments may go at once, those of six texts; the next one in ten seconds.
    await world.startGateway({ TWILIO_SEGMENTS_PER_SECOND: "0.1" }, SOON);
    await world.simulator.waitForSent(1, { from: "+447700900777" });
    await world.simulator.waitForSent(6, { from: DEMO_NUMBER });
    await eventually(
      () => world.query(`SELECT 1 FROM "Message" WHERE "status" = 'SENDING'`),
      (rows) => rows.length === 0,
    );
    expect(world.simulator.sent({ from: DEMO_NUMBER })).toHaveLength(6);
  });
});

describe("a text with a short life", () => {
  it("is not sent after it", async () => {
    const old = await queue({ kind: "holding", expiresInSeconds: -1 });
    const gateway = await world.startGateway({}, SOON);
    await gateway.logged((line) => line.event === "message_failed" && line["code"] === "expired");
    expect(await statusOf(old)).toEqual({ status: "FAILED", attempts: 0, errorCode: "expired" });
    expect(bodies()).toEqual([]);
  });

  it("tells the provider when to give up", async () => {
    const gateway = await world.startGateway();
    await gateway.text({ path: "/sms/fallback" });
    const [holding] = await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(holding?.validityPeriod).toBeGreaterThan(15 * 60 - 20);
    expect(holding?.validityPeriod).toBeLessThanOrEqual(15 * 60);
  });
});

describe("a refusal", () => {
  it.each([
    ["of an invalid recipient", 21211],
    ["of the content", 21617],
    ["that nobody knows", 29999],
  ])("%s ends that text after one attempt and nothing else", async (_case, code) => {
    world.simulator.setFaults({ refusals: { [CUSTOMER]: code } });
    const gateway = await world.startGateway({}, SOON);
    const id = await queue();
    await becomes(id, "FAILED");
    expect(await statusOf(id)).toMatchObject({ attempts: 1, errorCode: String(code) });
    await queue({ recipient: "+447700900777" });
    await world.simulator.waitForSent(1, { to: "+447700900777" });
    expect(gateway.log.filter(({ event }) => event === "message_failed")).toHaveLength(1);
    expect(await alertsOpen()).toEqual([]);
  });

  it("of an opted-out recipient records the opt-out", async () => {
    const gateway = await world.startGateway({}, SOON);
    await gateway.text({});
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    world.simulator.setFaults({ refusals: { [CUSTOMER]: 21610 } });
    await gateway.text({ body: "And the tap drips" });
    await gateway.logged((line) => line.event === "opt_out_recorded");
    const [customer] = await world.query<{ out: boolean }>(
      `SELECT "optedOutAt" IS NOT NULL AS "out" FROM "Customer"`,
    );
    expect(customer).toEqual({ out: true });
    const rows = await settledMessagesWith(world, CUSTOMER);
    expect(rows.at(-1)).toMatchObject({ status: "FAILED", attempts: 1, errorCode: "21610" });
  });

  it("of a suspended account stops everything after one attempt, alerts, and goes on by itself", async () => {
    world.simulator.setFaults({ twilio: { kind: "error", status: 400, code: 30002, times: 1 } });
    const first = await queue();
    const gateway = await world.startGateway({}, { ...SOON, stopProbeMs: 60_000 });
    await eventually(alertsOpen, (keys) => keys.includes("CHANNEL_STOPPED:sms"));
    const others = await Promise.all(
      ["+447700900701", "+447700900702"].map((recipient) => queue({ recipient })),
    );
    expect(await statusOf(first)).toEqual({ status: "QUEUED", attempts: 1, errorCode: "30002" });
    expect(bodies()).toEqual([]);
    await world.query(`UPDATE "ChannelStop" SET "probeAt" = now()`);
    for (const id of [first, ...others]) await becomes(id, "SENT");
    await gateway.logged((line) => line.event === "alert_resolved");
    expect(
      bodies()
        .map(({ body }) => body)
        .toSorted(),
    ).toEqual([first, ...others].toSorted());
    expect(bodies()[0]?.body).toBe(first);
  });

  it("that still holds is found out with one text at a time", async () => {
    world.simulator.setFaults({ twilio: { kind: "error", status: 400, code: 30002 } });
    const ids = [await queue(), await queue({ recipient: "+447700900701" })];
    const gateway = await world.startGateway({}, SOON);
    const [first = "", second = ""] = ids;
    await eventually(
      () => statusOf(first),
      (row) => (row?.attempts ?? 0) >= 3 && row?.status === "QUEUED",
    );
    expect((await statusOf(second))?.attempts).toBeLessThanOrEqual(1);
    expect(gateway.log.filter(({ event }) => event === "message_failed")).toEqual([]);
    world.simulator.setFaults({ twilio: { kind: "none" } });
    for (const id of ids) await becomes(id, "SENT");
  });

  it("of a country holds back that country alone", async () => {
    const abroad = ["+33612345678", "+33698765432"];
    world.simulator.setFaults({ refusals: { "+33612345678": 21408 } });
    const gateway = await world.startGateway({}, { ...SOON, stopProbeMs: 60_000 });
    const refused = await queue({ recipient: abroad[0]! });
    await eventually(alertsOpen, (keys) => keys.includes("CHANNEL_STOPPED:sms to +33"));
    const held = await queue({ recipient: abroad[1]! });
    await queue();
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(await statusOf(refused)).toMatchObject({ status: "QUEUED", attempts: 1 });
    expect(await statusOf(held)).toMatchObject({ status: "QUEUED", attempts: 0 });
    const raised = gateway.log.filter(({ event }) => event === "alert_raised");
    expect(raised).toMatchObject([{ key: "CHANNEL_STOPPED:sms to +33" }]);
  });

  it("of a trial account holds back that recipient alone", async () => {
    world.simulator.setFaults({ refusals: { [CUSTOMER]: 21608 } });
    await world.startGateway({}, { ...SOON, stopProbeMs: 60_000 });
    const refused = await queue();
    await eventually(alertsOpen, (keys) =>
      keys.includes("CHANNEL_STOPPED:sms to single recipients"),
    );
    await queue({ recipient: "+447700900701" });
    await world.simulator.waitForSent(1, { to: "+447700900701" });
    expect(await statusOf(refused)).toMatchObject({ status: "QUEUED", attempts: 1 });
  });
});

describe("the breaker", () => {
  it("opens when the provider is away, keeps the queue without using it up, and closes by itself", async () => {
    world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503 } });
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1)
      ids.push(await queue({ recipient: `+4477009${String(40_000 + n)}` }));
    const gateway = await world.startGateway({}, SOON);
    await gateway.logged((line) => line.message === "the breaker of twilio is open");
    await eventually(alertsOpen, (keys) => keys.includes("BREAKER_OPEN"));
    const health = await (await fetch(`${gateway.url}/health`)).json();
    expect(health).toMatchObject({
      status: "degraded",
      checks: { providers: { twilio: { breaker: expect.stringMatching(/open/) } } },
    });
    await eventually(
      () => world.query(`SELECT 1 FROM "Message" WHERE "status" = 'SENDING'`),
      (rows) => rows.length <= 1,
    );
    const later = await queue({ recipient: "+447700900701" });
    expect(await statusOf(later)).toMatchObject({ status: "QUEUED" });

    world.simulator.setFaults({ twilio: { kind: "none" } });
    await gateway.logged((line) => line.message === "the breaker of twilio is closed");
    await world.simulator.waitForSent(31, {}, 15_000);
    expect(new Set(bodies().map(({ body }) => body))).toEqual(new Set([...ids, later]));
    const dead = await world.query(`SELECT 1 FROM "Message" WHERE "status" = 'DEAD'`);
    expect(dead).toEqual([]);
  });
});

describe("texts committed by another process", () => {
  it("are sent by whoever hears of them, long before the next look", async () => {
    const slow = { pollMs: 60_000 };
    const [web, other] = [
      await world.startGateway({}, slow),
      await world.startGateway({}, slow),
    ] as const;
    world.simulator.setFaults({ twilioDelayMs: 1000 });
    const customers = Array.from({ length: 80 }, (_, n) => `+4477009${String(50_000 + n)}`);
    await Promise.all(customers.map((from) => web.text({ from })));
    await world.simulator.waitForSent(80, {}, 15_000);
    const sentBy = (gateway: typeof web) =>
      gateway.log.filter(({ event }) => event === "message_sent").length;
    await eventually(
      async () => sentBy(web) + sentBy(other),
      (count) => count === 80,
    );
    expect(sentBy(other)).toBeGreaterThan(0);
    for (const customer of customers.slice(0, 3))
      expect(await messagesWith(world, customer)).toHaveLength(2);
  });
});

it("workers without a web server send what others have queued", async () => {
  const ids = [await queue(), await queue({ recipient: "+447700900701" })];
  await world.startWorker(SOON);
  for (const id of ids) await becomes(id, "SENT");
  expect(bodies()).toHaveLength(2);
});
