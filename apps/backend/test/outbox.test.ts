import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startSimulator } from "@jobrun/simulator";
import pg from "pg";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";
import { messagesWith, settledMessagesWith } from "./rows.ts";

const OTHER_CUSTOMER = "+447123470001";

/** The waits of the outbox, a hundredth as long. */
const SOON = {
  attemptTimeoutMs: 500,
  sendBudgetMs: 4000,
  leaseMs: 5000,
  lookUpAfterMs: 200,
  resendAfterMs: 600,
  pollMs: 100,
};

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

/** Writes texts to the outbox as a commit does, each to a customer of its own. */
async function queueTexts(count: number, status = "QUEUED", leasedUntil: Date | null = null) {
  const rows = await world.query<{ recipient: string }>(
    `INSERT INTO "Message" ("id", "direction", "channel", "sender", "recipient", "body", "status", "leasedUntil")
     SELECT gen_random_uuid(), 'OUTBOUND', 'sms', $1, '+4477' || (10000000 + n), 'text ' || n, $2::"MessageStatus", $3
     FROM generate_series(1, $4::int) AS n RETURNING "recipient"`,
    [DEMO_NUMBER, status, leasedUntil, count],
  );
  return rows.map((row) => row.recipient);
}

/** A text that reached the provider and of which no outcome was recorded. */
async function sendDirectly(body: string, to = CUSTOMER): Promise<string> {
  const { accountSid, authToken, twilioUrl } = world.simulator;
  const response = await fetch(`${twilioUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`,
    },
    body: new URLSearchParams({ From: DEMO_NUMBER, To: to, Body: body }),
  });
  return ((await response.json()) as { sid: string }).sid;
}

function lookUps() {
  return world.query<{ unknownMs: number }>(
    `SELECT extract(epoch FROM now() - "unknownSince")::float8 * 1000 AS "unknownMs"
     FROM "Message" WHERE "status" = 'UNKNOWN'`,
  );
}

async function openAlerts(): Promise<string[]> {
  const rows = await world.query<{ type: string }>('SELECT "type" FROM "Alert" ORDER BY "type"');
  return rows.map((row) => row.type);
}

/** What the outbox made of the reply to a customer. */
async function reply(customer: string) {
  const rows = await settledMessagesWith(world, customer);
  return rows.filter((row) => row.direction === "OUTBOUND");
}

describe("a send that the provider could not take", () => {
  it("is tried again in memory after a second and sent once", async () => {
    const gateway = await world.startGateway();
    world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503, times: 1 } });
    await gateway.text({});
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    const failed = await gateway.logged((line) => line.message === "SMS send failed (attempt 1/3)");
    expect(failed).toMatchObject({ channel: "sms", outcome: "unavailable", code: "20503" });
    await gateway.logged((line) => line.message === "Retrying SMS send in 1000ms");
    expect(await reply(CUSTOMER)).toMatchObject([{ status: "SENT", attempts: 1 }]);
    expect(world.simulator.sent()).toHaveLength(1);
  });

  it("is tried again when the provider refused the connection", async () => {
    const port = await freePort();
    const gateway = await world.startGateway({ TWILIO_API_BASE_URL: `http://127.0.0.1:${port}` });
    expect((await gateway.text({})).status).toBe(200);
    await gateway.logged((line) => line.message === "Retrying SMS send in 1000ms");
    const { accountSid, authToken } = world.simulator;
    const provider = await startSimulator({ port, accountSid, authToken });
    try {
      await provider.waitForSent(1, { to: CUSTOMER });
      expect(await reply(CUSTOMER)).toMatchObject([{ status: "SENT" }]);
      expect(provider.sent()).toHaveLength(1);
    } finally {
      await provider.close();
    }
  });

  it("is put back for later when three tries failed", async () => {
    const gateway = await world.startGateway();
    world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503, times: 3 } });
    await gateway.text({});
    await gateway.logged((line) => line.message === "SMS send failed (attempt 3/3)");
    const [row] = await eventually(
      () =>
        world.query<{ attempts: number; later: boolean }>(
          `SELECT "attempts", "dueAt" > now() + interval '10 seconds' AS "later"
           FROM "Message" WHERE "direction" = 'OUTBOUND' AND "status" = 'QUEUED'`,
        ),
      (rows) => rows.length === 1,
    );
    expect(row).toEqual({ attempts: 1, later: true });
    expect(world.simulator.sent()).toEqual([]);
  });
});

describe("a send whose outcome nobody knows", () => {
  it.each(["accept-then-reset", "accept-then-hang", "garbage-201", "error-after-accept"] as const)(
    "(%s) is UNKNOWN until the provider's log shows it, and not sent again",
    async (kind) => {
      const gateway = await world.startGateway({}, SOON);
      world.simulator.setFaults({
        twilio:
          kind === "error-after-accept" ? { kind, status: 500, times: 1 } : { kind, times: 1 },
      });
      await gateway.text({});
      await gateway.logged((line) => line.event === "message_unknown");
      await gateway.logged((line) => line.event === "message_sent");

      const [sent] = world.simulator.sent({ to: CUSTOMER });
      expect(await reply(CUSTOMER)).toMatchObject([
        { status: "SENT", attempts: 1, errorCode: null, providerMessageId: sent?.sid },
      ]);
      expect(world.simulator.sent({ to: CUSTOMER })).toHaveLength(1);
    },
  );

  it("holds up the texts behind it, and nobody else's, until it is settled", async () => {
    const gateway = await world.startGateway({}, { ...SOON, lookUpAfterMs: 4000 });
    world.simulator.setFaults({ twilio: { kind: "accept-then-reset", times: 1 } });
    await gateway.text({});
    await gateway.logged((line) => line.event === "message_unknown");
    await gateway.text({ body: "It is urgent" });
    await gateway.text({ from: OTHER_CUSTOMER });
    await world.simulator.waitForSent(1, { to: OTHER_CUSTOMER });
    expect(world.simulator.sent({ to: CUSTOMER })).toHaveLength(1);
    await world.simulator.waitForSent(2, { to: CUSTOMER }, 15_000);
    expect((await reply(CUSTOMER)).map(({ status }) => status)).toEqual(["SENT", "SENT"]);
  });

  it("is sent again when a complete look-up shows that the provider does not have it", async () => {
    world.simulator.setFaults({ twilio: { kind: "reset", times: 1 } });
    const gateway = await world.startGateway({}, SOON);
    await gateway.text({});
    await gateway.logged((line) => line.event === "message_unknown");
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(await reply(CUSTOMER)).toMatchObject([{ status: "SENT", attempts: 2 }]);
    expect(world.simulator.sent({ to: CUSTOMER })).toHaveLength(1);
  });

  it("is DEAD, with an alert, when it was sent again twice and still nobody knows", async () => {
    world.simulator.setFaults({ twilio: { kind: "reset" } });
    const gateway = await world.startGateway({}, SOON);
    await gateway.text({});
    await gateway.logged((line) => line.event === "message_dead");
    expect(await reply(CUSTOMER)).toMatchObject([{ status: "DEAD", attempts: 3 }]);
    await eventually(openAlerts, (alerts) => alerts.includes("MESSAGE_DEAD"));
  });

  it("waits for as long as the provider's log cannot be read", async () => {
    world.simulator.setFaults({ twilio: { kind: "reset", times: 1 }, listErrorStatus: 503 });
    const gateway = await world.startGateway({}, SOON);
    await gateway.text({});
    await gateway.logged((line) => line.event === "message_unknown");
    await gateway.text({ from: OTHER_CUSTOMER });
    await world.simulator.waitForSent(1, { to: OTHER_CUSTOMER });
    await eventually(
      () => lookUps(),
      ([row]) => row !== undefined && row["unknownMs"] > 3 * SOON.resendAfterMs,
    );
    expect(world.simulator.sent({ to: CUSTOMER })).toEqual([]);
    world.simulator.setFaults({ listErrorStatus: null });
    await world.simulator.waitForSent(1, { to: CUSTOMER });
  });

  it("is not proven by a text that belongs to another row", async () => {
    const body = "The same words twice";
    const insert = (status: string, providerMessageId: string | null) =>
      world.query(
        `INSERT INTO "Message" ("id", "direction", "channel", "sender", "recipient", "body", "status", "providerMessageId",
           "unknownSince", "sentAt")
         VALUES (gen_random_uuid(), 'OUTBOUND', 'sms', $1, $2, $3, $4::"MessageStatus", $5,
           CASE WHEN $5::text IS NULL THEN now() END, now())`,
        [DEMO_NUMBER, CUSTOMER, body, status, providerMessageId],
      );
    const first = await sendDirectly(body);
    await insert("SENT", first);
    await insert("UNKNOWN", null);
    await world.startGateway({}, SOON);
    await world.simulator.waitForSent(2, { to: CUSTOMER });
    const rows = await settledMessagesWith(world, CUSTOMER);
    expect(new Set(rows.map(({ providerMessageId }) => providerMessageId)).size).toBe(2);
    expect(rows.map(({ status }) => status)).toEqual(["SENT", "SENT"]);
  });

  it("was left by a process that died: the lease ends, and the provider's log decides", async () => {
    const [lost = "", accepted = ""] = await queueTexts(2, "SENDING", new Date(Date.now() - 1000));
    await sendDirectly("text 2", accepted);
    const gateway = await world.startGateway({}, SOON);
    expect(await gateway.logged((line) => line.event === "message_unknown")).toMatchObject({
      code: "lease-expired",
    });
    await world.simulator.waitForSent(1, { to: lost });
    expect(await settledMessagesWith(world, accepted)).toMatchObject([{ status: "SENT" }]);
    expect(world.simulator.sent({ to: accepted })).toHaveLength(1);
    expect(world.simulator.sent({ to: lost })).toHaveLength(1);
  });

  it("is left alone while the lease of the process that sends it lasts", async () => {
    const [recipient = ""] = await queueTexts(1, "SENDING", new Date(Date.now() + 60_000));
    const gateway = await world.startGateway();
    await gateway.text({});
    await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(await messagesWith(world, recipient)).toMatchObject([{ status: "SENDING" }]);
    expect(world.simulator.sent({ to: recipient })).toEqual([]);
  });
});

it("a send the provider refuses for good is FAILED after one attempt", async () => {
  const gateway = await world.startGateway();
  world.simulator.setFaults({ twilio: { kind: "error", status: 400, code: 21211, times: 1 } });
  await gateway.text({});
  await gateway.logged((line) => line.event === "message_failed");
  expect(await reply(CUSTOMER)).toMatchObject([
    { status: "FAILED", attempts: 1, errorCode: "21211", providerMessageId: null },
  ]);
  expect(world.simulator.sent()).toEqual([]);
});

describe("two gateways on one outbox", () => {
  it("send each of 300 texts exactly once", async () => {
    world.simulator.setFaults({ twilioDelayMs: 20 });
    await Promise.all([world.startGateway(), world.startGateway()]);
    const recipients = await queueTexts(300);
    await world.simulator.waitForSent(300, {}, 25_000);
    const states = await eventually(
      () => world.query('SELECT "status", "attempts" FROM "Message" GROUP BY 1, 2'),
      (rows) => rows.every((row) => row["status"] !== "SENDING"),
    );
    expect(states).toEqual([{ status: "SENT", attempts: 1 }]);
    const sent = world.simulator.sent().map((message) => message.to);
    expect(sent.toSorted()).toEqual(recipients.toSorted());
  });

  it("do not wait for a text that another one is just claiming", async () => {
    const [claimed = "", ...others] = await queueTexts(5);
    const claimer = new pg.Client({ connectionString: world.database.url });
    await claimer.connect();
    try {
      await claimer.query("BEGIN");
      await claimer.query('SELECT 1 FROM "Message" WHERE "recipient" = $1 FOR UPDATE', [claimed]);
      await world.startGateway();
      await world.simulator.waitForSent(4, {}, 15_000);
      const sent = world.simulator.sent().map((message) => message.to);
      expect(sent.toSorted()).toEqual(others.toSorted());
    } finally {
      await claimer.end();
    }
  });
});

it("texts to one customer leave in the order of their commits, even when the first has to wait", async () => {
  const gateways = [await world.startGateway(), await world.startGateway()] as const;
  world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503, times: 1 } });
  await gateways[0].text({ body: "I need a plumber" });
  await Promise.race(
    gateways.map(({ logged }) => logged((line) => line.message === "Retrying SMS send in 1000ms")),
  );
  await gateways[0].text({ body: "It is a leaking pipe" });
  await gateways[1].text({ body: "At 5 High Street" });
  await world.simulator.waitForSent(3, { to: CUSTOMER });

  const replies = await reply(CUSTOMER);
  expect(replies.map((row) => row.status)).toEqual(["SENT", "SENT", "SENT"]);
  expect(world.simulator.sent({ to: CUSTOMER }).map((message) => message.sid)).toEqual(
    replies.map((row) => row.providerMessageId),
  );
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
