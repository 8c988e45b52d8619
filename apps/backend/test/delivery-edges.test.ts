import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createDatabase, newId, type Database } from "@jobrun/db";
import { twilioChannel, type Channel, type ChannelName, type LogResult } from "@jobrun/messaging";
import pg from "pg";
import { recordOutcome } from "../src/outbound/record-outcome.ts";
import { settleUnknown } from "../src/outbound/settle.ts";
import { claimProbes } from "../src/outbound/stops.ts";
import { DELIVERY } from "../src/outbound/timings.ts";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";

/** Shorter waits than production's. */
const SOON = { pollMs: 100, retryScheduleMs: [50, 50], breakerOpenMs: 300, stopProbeMs: 500 };
const OTHER = "+447700900777";
/** As SQL. */
const TENANT = '(SELECT "id" FROM "Client")';

let world: World;
let db: Database;

beforeEach(async () => {
  world = await createWorld();
  db = createDatabase({
    url: world.database.url,
    poolSize: 2,
    queryTimeoutMs: 5_000,
    transactionTimeoutMs: 5_000,
    onQueryTimeout: () => {},
  });
});
afterEach(async () => {
  await db.close();
  await world.close();
});

/** Writes a text of the outbox; columns by name, as SQL. */
async function insert(columns: Record<string, string> = {}): Promise<string> {
  const id = newId();
  const row = {
    id: `'${id}'`,
    body: `'${id}'`,
    direction: "'OUTBOUND'",
    channel: "'sms'",
    sender: `'${DEMO_NUMBER}'`,
    recipient: `'${CUSTOMER}'`,
    status: "'QUEUED'",
    ...(columns["status"] === "'UNKNOWN'" && { unknownSince: "now()" }),
    ...columns,
  };
  const names = Object.keys(row).map((name) => `"${name}"`);
  await world.query(
    `INSERT INTO "Message" (${names.join()}) VALUES (${Object.values(row).join()})`,
  );
  return id;
}

async function rowOf(id: string) {
  const [row] = await world.query<Record<string, unknown>>(
    `SELECT * FROM "Message" WHERE "id" = $1`,
    [id],
  );
  if (row === undefined) throw new Error("no such text");
  return row;
}

function change(id: string, columns: string) {
  return world.query(`UPDATE "Message" SET ${columns} WHERE "id" = $1`, [id]);
}

function people(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `+4477009${String(60_000 + n)}`);
}

describe("two processes", () => {
  it("do not keep each other awake while a tenant has as many texts under way as it may", async () => {
    world.simulator.setFaults({ twilioDelayMs: 3_000 });
    for (const recipient of people(80))
      await insert({ recipient: `'${recipient}'`, clientId: TENANT });
    const listener = new pg.Client({ connectionString: world.database.url });
    let calls = 0;
    listener.on("notification", () => (calls += 1));
    await listener.connect();
    await listener.query("LISTEN jobrun_outbox");
    try {
      await world.startGateway();
      await world.startGateway();
      await eventually(
        () => world.query(`SELECT 1 FROM "Message" WHERE "status" = 'SENDING'`),
        (rows) => rows.length === 64,
      );
      await world.simulator.waitForSent(1, {}, 10_000);
      // A call and an answer take some 50 ms: without an end to them there are over a hundred by now.
      expect(calls).toBeLessThan(20);
    } finally {
      await listener.end();
    }
  });
});

describe("a stop", () => {
  it("is not probed with a text to a customer who has opted out", async () => {
    const conversation = await startConversation();
    await insert(conversation);
    const other = await insert({ recipient: `'${OTHER}'` });
    await world.query('UPDATE "Customer" SET "optedOutAt" = now()');
    expect(await probes()).toEqual([other]);
  });

  it("ends, with its alert, when the only text that it held back has expired", async () => {
    world.simulator.setFaults({ refusals: { [CUSTOMER]: 21608 } });
    const id = await insert({ kind: "'holding'" });
    const gateway = await world.startGateway({}, SOON);
    const alert = (event: string) =>
      gateway.logged((line) => line.event === event && line["type"] === "CHANNEL_STOPPED");
    await alert("alert_raised");
    await change(id, `"expiresAt" = now()`);
    await alert("alert_resolved");
    expect(await world.query('SELECT 1 FROM "ChannelStop"')).toEqual([]);
    expect(world.simulator.sent()).toEqual([]);
  });

  /** Stops the whole account, and it is time to find out whether it still is. */
  async function stopAccount(): Promise<void> {
    await world.query(
      `INSERT INTO "ChannelStop" ("channel", "code", "probeAt") VALUES ('sms', '30002', now())
       ON CONFLICT ("channel", "sender", "recipientPrefix", "kind") DO UPDATE SET "probeAt" = now()`,
    );
  }

  async function probes(): Promise<string[]> {
    await stopAccount();
    return (await claimProbes(db, ["sms"], DELIVERY)).map(({ id }) => id);
  }

  /** The columns of its texts. */
  async function startConversation(): Promise<Record<string, string>> {
    const id = newId();
    await world.query(
      `WITH person AS (INSERT INTO "Customer" ("id", "clientId", "phone")
         SELECT gen_random_uuid(), "id", $2 FROM "Client" LIMIT 1 RETURNING *)
       INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel")
       SELECT $1::uuid, "clientId", "id", 'sms' FROM person`,
      [id, CUSTOMER],
    );
    return { conversationId: `'${id}'`, clientId: TENANT };
  }

  it.each(["SENDING", "UNKNOWN"])(
    "is not probed with a text that follows one of its conversation that is %s",
    async (status) => {
      const conversation = await startConversation();
      const first = await insert({ ...conversation, status: `'${status}'` });
      const second = await insert(conversation);
      expect(await probes()).toEqual([]);
      await change(first, `"status" = 'FAILED', "unknownSince" = NULL`);
      expect(await probes()).toEqual([second]);
    },
  );

  it("is not probed with a text that is not due yet, but with the next one", async () => {
    await insert({ dueAt: "now() + interval '1 minute'" });
    const next = await insert();
    expect(await probes()).toEqual([next]);
  });

  it("is not probed with an expired text, but with the next one", async () => {
    await insert({ expiresAt: "now() - interval '1 second'" });
    const next = await insert({ expiresAt: "now() + interval '1 minute'" });
    await insert();
    expect(await probes()).toEqual([next]);
  });

  it("lasts while it is unknown whether a text that it covers was taken", async () => {
    const id = await insert({ status: "'UNKNOWN'" });
    await probes();
    expect(await world.query('SELECT 1 FROM "ChannelStop"')).toHaveLength(1);
    await change(id, `"status" = 'SENT', "unknownSince" = NULL`);
    await probes();
    expect(await world.query('SELECT 1 FROM "ChannelStop"')).toEqual([]);
  });
});

it("the breaker stays closed when one sender's queue at the provider is full", async () => {
  const refused = people(30);
  world.simulator.setFaults({ refusals: Object.fromEntries(refused.map((to) => [to, 21611])) });
  for (const recipient of refused) await insert({ recipient: `'${recipient}'` });
  const gateway = await world.startGateway({}, SOON);
  await eventually(
    async () => gateway.log.filter(({ message }) => message.startsWith("SMS send failed")).length,
    (count) => count >= 30,
  );
  await insert({ recipient: `'${OTHER}'` });
  await world.simulator.waitForSent(1, { to: OTHER });
  expect(gateway.log.filter(({ message }) => message.startsWith("the breaker"))).toEqual([]);
});

it("a process that was frozen between two attempts does not make the second when its claim is over", async () => {
  world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503, times: 1 } });
  const id = await insert();
  const gateway = await world.startGateway({}, { sendBudgetMs: 3_000 });
  await gateway.logged((line) => line.message === "Retrying SMS send in 1000ms");
  // Nothing of this process runs meanwhile, as with SIGSTOP: afterwards both the wait and the claim are over.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_100);
  await eventually(
    () => rowOf(id),
    ({ status }) => status !== "SENDING",
  );
  expect(await rowOf(id)).toMatchObject({ status: "QUEUED", attempts: 1, errorCode: "too-late" });
  expect(world.simulator.sent()).toEqual([]);
});

const ACCEPTED = { kind: "accepted", providerId: "SMlate" } as const;

describe("an outcome that comes late", () => {
  const OTHERS = [
    { kind: "rejected", code: "21211", scope: "recipient" },
    { kind: "unavailable", code: "20503" },
    { kind: "unknown", code: "timeout" },
  ] as const;

  it.each([ACCEPTED, ...OTHERS])(
    "($kind) changes nothing when its text has been claimed again",
    async (outcome) => {
      const id = await insert({ status: "'SENDING'", attempts: "2" });
      const before = await rowOf(id);
      const claimed = { id, attempts: 1, failures: 0 };
      expect(await recordOutcome(db.service, claimed, outcome, DELIVERY)).toBeNull();
      expect(await rowOf(id)).toEqual(before);
    },
  );

  it.each(["QUEUED", "UNKNOWN", "DEAD"])(
    "settles a text that is %s by now if it is acceptance, and else changes nothing",
    async (status) => {
      const id = await insert({ status: `'${status}'`, attempts: "1" });
      const claimed = { id, attempts: 1, failures: 0 };
      const before = await rowOf(id);
      for (const outcome of OTHERS)
        expect(await recordOutcome(db.service, claimed, outcome, DELIVERY)).toBeNull();
      expect(await rowOf(id)).toEqual(before);
      const settled = await recordOutcome(db.service, claimed, ACCEPTED, DELIVERY);
      expect(settled).toMatchObject({ status: "SENT" });
      expect(await rowOf(id)).toMatchObject({ status: "SENT", providerMessageId: "SMlate" });
    },
  );
});

describe("an unknown text", () => {
  /** Settles with a provider whose log gives this answer. */
  async function settleWith(answer: LogResult<string>) {
    const { accountSid, authToken, twilioUrl } = world.simulator;
    const channel = twilioChannel({ accountSid, authTokens: [authToken], apiBaseUrl: twilioUrl });
    if (channel.log === undefined) throw new Error("Twilio has a log");
    const log = { ...channel.log, accepted: async () => answer };
    const channels = new Map<ChannelName, Channel>([["sms", { ...channel, log }]]);
    return (await settleUnknown(db, channels, DELIVERY)).map(({ end }) => end.kind);
  }

  const unknownFor = (seconds: number) =>
    `"dueAt" = now(), "unknownSince" = now() - make_interval(secs => ${seconds})`;

  it("is not queued again before no send can be under way, although the log shows nothing", async () => {
    const id = await insert({ status: "'UNKNOWN'", attempts: "1" });
    await change(id, unknownFor(DELIVERY.resendAfterMs / 1_000 - 10));
    expect(await settleWith({ kind: "complete", found: [] })).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ status: "UNKNOWN", resends: 0 });
    await change(id, unknownFor(DELIVERY.resendAfterMs / 1_000));
    expect(await settleWith({ kind: "complete", found: [] })).toEqual(["queued-again"]);
    expect(await rowOf(id)).toMatchObject({ status: "QUEUED", resends: 1, unknownSince: null });
  });

  it("is not queued again, however old, when the log cannot be read or shows it", async () => {
    const id = await insert({ status: "'UNKNOWN'", attempts: "1" });
    await change(id, unknownFor(3_600));
    expect(await settleWith({ kind: "failed", code: "503" })).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ status: "UNKNOWN" });
    await change(id, unknownFor(3_600));
    expect(await settleWith({ kind: "complete", found: ["SMfound"] })).toEqual(["found"]);
    expect(await rowOf(id)).toMatchObject({ status: "SENT", providerMessageId: "SMfound" });
  });
});
