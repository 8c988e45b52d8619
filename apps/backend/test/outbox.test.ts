import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startSimulator } from "@jobrun/simulator";
import pg from "pg";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";
import { messagesWith, settledMessagesWith } from "./rows.ts";

const OTHER_CUSTOMER = "+447123470001";

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
    await gateway.logged((line) => line.message === "SMS send failed (attempt 1/3)");
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
  it.each(["accept-then-reset", "garbage-201"] as const)(
    "(%s) becomes UNKNOWN, is not sent again, and the founder is alerted",
    async (kind) => {
      const gateway = await world.startGateway();
      world.simulator.setFaults({ twilio: { kind, times: 1 } });
      await gateway.text({});
      await gateway.logged((line) => line.event === "message_unknown");
      await gateway.text({ from: OTHER_CUSTOMER });
      await world.simulator.waitForSent(1, { to: OTHER_CUSTOMER });

      expect(await reply(CUSTOMER)).toMatchObject([{ status: "UNKNOWN", attempts: 1 }]);
      expect(world.simulator.sent({ to: CUSTOMER })).toHaveLength(1);
      await eventually(openAlerts, (alerts) => alerts.includes("MESSAGE_UNKNOWN_STUCK"));
    },
  );

  it("was left by a process that died: the lease ends, UNKNOWN, not sent again", async () => {
    const [recipient = ""] = await queueTexts(1, "SENDING", new Date(Date.now() - 1000));
    const gateway = await world.startGateway();
    expect(await gateway.logged((line) => line.event === "message_unknown")).toMatchObject({
      code: "lease-expired",
    });
    await gateway.text({});
    await world.simulator.waitForSent(1, { to: CUSTOMER });

    expect(await messagesWith(world, recipient)).toMatchObject([
      { status: "UNKNOWN", errorCode: "lease-expired" },
    ]);
    expect(world.simulator.sent({ to: recipient })).toEqual([]);
    await eventually(openAlerts, (alerts) => alerts.includes("MESSAGE_UNKNOWN_STUCK"));
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
    { status: "FAILED", attempts: 1, errorCode: "21211", twilioSid: null },
  ]);
  expect(world.simulator.sent()).toEqual([]);
});

describe("two gateways on one outbox", () => {
  it("send each of 300 texts exactly once", async () => {
    world.simulator.setFaults({ twilioDelayMs: 20 });
    await Promise.all([world.startGateway(), world.startGateway()]);
    const recipients = await queueTexts(300);
    await world.simulator.waitForSent(300, {}, 15_000);
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
      await world.simulator.waitForSent(4, {}, 3000);
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
    replies.map((row) => row.twilioSid),
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
