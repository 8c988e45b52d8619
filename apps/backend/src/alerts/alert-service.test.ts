import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createDatabase, newId, type Database } from "@jobrun/db";
import { createTestDatabase } from "@jobrun/db/testing";
import { createEvents } from "../telemetry/events.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { AlertService } from "./alert-service.ts";
import type { AlertConfig } from "./delivery.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PHONE = "+447700900999";
const OPS = "+447700900888";
const START = Date.parse("2026-11-01T09:00:00Z");

let test: { url: string; drop: () => Promise<void> };
let db: Database;
let clock: number;
let log: Record<string, unknown>[];
/** What the webhook double received, and what it answers; 200 when the list is empty. */
let posts: Record<string, unknown>[];
let answers: number[];
let server: Server;
let webhookUrl: string;

const open = (url: string) =>
  createDatabase({
    url,
    poolSize: 4,
    queryTimeoutMs: 2_000,
    transactionTimeoutMs: 5_000,
    onQueryTimeout: () => {},
  });

beforeAll(async () => {
  test = await createTestDatabase();
  db = open(test.url);
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      posts.push(JSON.parse(body) as Record<string, unknown>);
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});

afterAll(async () => {
  await new Promise((done) => server.close(done));
  await db.close();
  await test.drop();
});

beforeEach(() => {
  clock = START;
  log = [];
  posts = [];
  answers = [];
});

afterEach(async () => {
  await db.service.alert.deleteMany();
  await db.service.message.deleteMany();
});

function service(config: Partial<AlertConfig> = {}, database = db): AlertService {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const logger = createLogger({ level: "info", pretty: false, stream });
  return new AlertService({
    db: database,
    logger,
    events: createEvents({ logger, strict: true }),
    metrics: createMetrics(),
    config: { disabled: false, founderPhone: null, opsNumber: null, webhookUrl, ...config },
    now: () => new Date(clock),
  });
}

const withSms = { founderPhone: PHONE, opsNumber: OPS };
const texts = () => db.service.message.findMany({ orderBy: { id: "asc" } });
const deliveries = async () =>
  (await db.service.alertDelivery.findMany({ orderBy: { id: "asc" } })).map(
    ({ channel, state }) => `${channel} ${state}`,
  );
const events = (name: string) => log.filter(({ event }) => event === name);

async function storeMessage(
  data: { status: "DEAD" | "UNKNOWN" | "DEFERRED" } & Partial<{ kind: string; agoMs: number }>,
) {
  await db.service.message.create({
    data: {
      id: newId(),
      direction: data.status === "DEFERRED" ? "INBOUND" : "OUTBOUND",
      channel: "sms",
      kind: data.kind ?? "reply",
      sender: OPS,
      recipient: PHONE,
      body: "x",
      status: data.status,
      createdAt: new Date(clock - (data.agoMs ?? 0)),
      unknownSince: data.status === "UNKNOWN" ? new Date(clock - (data.agoMs ?? 0)) : null,
    },
  });
}

describe("an incident", () => {
  it("raised again is counted, not opened again", async () => {
    const alerts = service();
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
    expect(events("alert_raised")).toHaveLength(1);
  });

  it("of another resource is another one", async () => {
    const alerts = service();
    await alerts.raise({ type: "BREAKER_OPEN", resource: "twilio" });
    await alerts.raise({ type: "BREAKER_OPEN", resource: "evolution" });
    await alerts.resolve("BREAKER_OPEN", "twilio");
    expect((await alerts.status()).open).toHaveLength(1);
    expect(events("alert_resolved")).toMatchObject([{ key: "BREAKER_OPEN:twilio" }]);
  });

  it("raised in a transaction stands or falls with it", async () => {
    const alerts = service();
    const failed = db.serviceTransaction(async (tx) => {
      await alerts.raiseIn(tx, { type: "UNROUTED_MESSAGE" });
      throw new Error("rolled back");
    });
    await expect(failed).rejects.toThrow("rolled back");
    expect((await alerts.status()).open).toEqual([]);
    await db.serviceTransaction((tx) => alerts.raiseIn(tx, { type: "UNROUTED_MESSAGE" }));
    expect((await alerts.status()).open).toHaveLength(1);
  });

  it("opens when enough was counted and closes when it was not seen for a minute", async () => {
    const alerts = service();
    for (let i = 0; i < 5; i += 1) alerts.recordTransactionFailure();
    await alerts.tick();
    expect((await alerts.status()).open).toMatchObject([{ type: "TRANSACTIONS_FAILING" }]);
    clock += 5 * MINUTE;
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
    expect(events("alert_resolved")).toHaveLength(1);
  });

  it("of refused credentials opens at the first refusal", async () => {
    const alerts = service();
    alerts.recordAssistantFailure("auth");
    await alerts.tick();
    expect((await alerts.status()).open).toMatchObject([{ type: "ASSISTANT_AUTH" }]);
  });

  it("counted by one process is not closed by another that counted nothing", async () => {
    const busy = service();
    for (let i = 0; i < 10; i += 1) busy.recordSignatureFailure();
    await busy.tick();
    await service().tick();
    expect((await busy.status()).open).toMatchObject([{ type: "SIGNATURE_BURST" }]);
  });

  it.each([
    ["MESSAGE_DEAD", { status: "DEAD" }],
    ["MESSAGE_UNKNOWN_STUCK", { status: "UNKNOWN", agoMs: 2 * MINUTE }],
    ["DEFERRED_STUCK", { status: "DEFERRED", agoMs: 2 * MINUTE }],
  ] as const)("%s is found in the database and closes when it is gone", async (type, message) => {
    const alerts = service();
    await storeMessage(message);
    await alerts.tick();
    await alerts.tick();
    expect((await alerts.status()).open).toMatchObject([{ type, occurrences: 1 }]);
    await db.service.message.deleteMany();
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
  });
});

describe("the founder is told", () => {
  it("by the webhook, in a form Slack shows", async () => {
    const alerts = service();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(posts).toEqual([
      {
        text: "JobRun CRITICAL: No number is left for new tenants (POOL_EMPTY)",
        type: "POOL_EMPTY",
        severity: "critical",
        key: "POOL_EMPTY",
        state: "OPEN",
        summary: "No number is left for new tenants",
        runbook: "docs/runbook.md#pool_empty",
        occurrences: 1,
        raisedAt: "2026-11-01T09:00:00.000Z",
      },
    ]);
    expect(events("alert_delivered")).toMatchObject([{ channel: "webhook" }]);
  });

  it("by one text through the outbox, and told when the provider took it", async () => {
    const alerts = service(withSms);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    await alerts.tick();
    expect(await texts()).toMatchObject([
      {
        kind: "founder_alert",
        tenantId: null,
        sender: OPS,
        recipient: PHONE,
        status: "QUEUED",
        segments: 1,
      },
    ]);
    expect(events("alert_delivered")).toEqual([]);
    await db.service.message.updateMany({ data: { status: "SENT" } });
    await alerts.tick();
    expect(await deliveries()).toEqual(["sms DELIVERED"]);
    expect(posts).toEqual([]);
  });

  it.each([
    [
      "is refused",
      async () => void (await db.service.message.updateMany({ data: { status: "FAILED" } })),
    ],
    ["is not sent within 60 s", async () => void (clock += MINUTE)],
  ])("by the next channel when the text %s", async (_case, fail) => {
    const alerts = service(withSms);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    await fail();
    await alerts.tick();
    expect(await deliveries()).toEqual(["sms FAILED", "webhook DELIVERED"]);
    // the text must not arrive hours later
    expect(await texts()).toMatchObject([{ status: "FAILED" }]);
  });

  it("by both channels when texts themselves are failing", async () => {
    const alerts = service(withSms);
    await alerts.raise({ type: "BREAKER_OPEN", resource: "twilio" });
    await alerts.tick();
    expect((await deliveries()).toSorted()).toEqual(["sms PENDING", "webhook DELIVERED"]);
  });

  it("once in 6 hours, and again when it still goes on", async () => {
    const alerts = service();
    await storeMessage({ status: "DEAD" });
    await alerts.tick();
    clock += 6 * HOUR - 1;
    await alerts.tick();
    expect(posts).toHaveLength(1);
    clock += 1;
    await alerts.tick();
    expect(posts).toHaveLength(2);
  });

  it("once about what happened once", async () => {
    const alerts = service();
    await alerts.raise({ type: "UNROUTED_MESSAGE" });
    await alerts.tick();
    clock += 7 * HOUR;
    await alerts.tick();
    expect(posts).toHaveLength(1);
  });

  it("at once when it gets worse", async () => {
    const alerts = service();
    await alerts.raise({ type: "QUOTA_NEAR", severity: "warning" });
    await alerts.tick();
    await alerts.raise({ type: "QUOTA_NEAR", severity: "critical" });
    await alerts.tick();
    await alerts.tick();
    expect(posts.map(({ severity }) => severity)).toEqual(["warning", "critical"]);
  });

  it("later, when every channel failed: it stays due and the waits grow", async () => {
    answers = Array<number>(6).fill(404);
    const alerts = service();
    await alerts.raise({ type: "POOL_EMPTY" });
    const tried: number[] = [];
    for (let minute = 0; minute <= 8; minute += 1) {
      const before = posts.length;
      await alerts.tick();
      if (posts.length > before) tried.push(minute);
      clock += MINUTE;
    }
    expect(tried).toEqual([0, 1, 3, 7]);
    expect(log.filter(({ level }) => level === "error")).toHaveLength(4);
    expect(await deliveries()).toEqual(Array(4).fill("webhook FAILED"));
  });

  it("though the webhook stumbles once", async () => {
    answers = [500];
    const alerts = service();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(await deliveries()).toEqual(["webhook DELIVERED"]);
  });

  it("once, when two processes claim at the same moment", async () => {
    // Both have planned before either claims; several incidents make the claims overlap.
    const planned = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
    const databases = planned.map(() => open(test.url));
    const gateways = databases.map((database, index) =>
      service(
        {},
        {
          ...database,
          serviceTransaction: async (work) => {
            planned[index]?.resolve();
            await Promise.all(planned.map(({ promise }) => promise));
            return database.serviceTransaction(work);
          },
        },
      ),
    );
    const resources = Array.from({ length: 8 }, (_, index) => `r${index}`);
    for (const resource of resources) await gateways[0]?.raise({ type: "POOL_EMPTY", resource });
    await Promise.all(gateways.map((alerts) => alerts.tick()));
    expect(posts.map(({ key }) => key).toSorted()).toEqual(
      resources.map((resource) => `POOL_EMPTY:${resource}`),
    );
    await Promise.all(databases.map((database) => database.close()));
  });

  it("nothing about a text to the founder that died: an alert about alerts would never end", async () => {
    const alerts = service(withSms);
    await storeMessage({ status: "DEAD", kind: "founder_alert" });
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
    expect(posts).toEqual([]);
  });

  it("no number, though a caller puts one into the summary", async () => {
    const alerts = service();
    await alerts.raise({ type: "UNROUTED_MESSAGE", summary: `from ${PHONE}`, resource: PHONE });
    await alerts.tick();
    expect(JSON.stringify([posts, log])).not.toContain("7700900999");
    expect(posts).toHaveLength(1);
  });
});

describe("with ALERTS_DISABLED", () => {
  it("incidents are recorded, nobody is told, and that is said", async () => {
    const alerts = service({ ...withSms, disabled: true });
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect([posts, await texts()]).toEqual([[], []]);
    expect(events("alert_suppressed")).toMatchObject([{ reason: "disabled" }]);
    expect(await alerts.status()).toMatchObject({
      enabled: false,
      reason: "ALERTS_DISABLED env var set to true",
      open: [{ type: "POOL_EMPTY" }],
    });
  });
});

describe("without the database", () => {
  it("nothing throws, and the founder is told by the webhook, once", async () => {
    const closed = open("postgresql://gateway@127.0.0.1:1/none");
    const alerts = service(withSms, closed);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.resolve("POOL_LOW");
    for (let i = 0; i < 5; i += 1) alerts.recordTransactionFailure();
    await alerts.tick();
    await alerts.tick();
    expect(posts.map(({ type }) => type).toSorted()).toEqual([
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
      ...db,
      get service() {
        return down
          ? ({ $queryRaw: refuse, $executeRaw: refuse } as unknown as Database["service"])
          : db.service;
      },
    };
    const alerts = service({}, flaky);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    down = false;
    await alerts.tick();
    expect(await deliveries()).toEqual(["webhook DELIVERED"]);
    expect(posts).toHaveLength(1);
    expect((await alerts.status()).open).toMatchObject([{ type: "POOL_EMPTY", occurrences: 1 }]);
  });
});
