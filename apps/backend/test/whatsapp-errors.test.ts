import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { DeliveryTimings } from "../src/main.ts";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import {
  createWhatsAppWorld,
  newPerson,
  openAlerts,
  queueMessage,
  rowsWith,
  startWhatsAppGateway,
} from "./whatsapp-world.ts";

/** The waits of the outbox, a hundredth as long or shorter. */
const SOON: Partial<DeliveryTimings> = {
  attemptTimeoutMs: 1500,
  sendBudgetMs: 3000,
  leaseMs: 4000,
  lookUpAfterMs: 100,
  resendWithoutLogMs: 3000,
  pollMs: 50,
  retryScheduleMs: [300, 300, 300],
  stopProbeMs: 60_000,
};

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world, {}, SOON);
});
afterAll(() => world.close());
afterEach(async () => {
  world.simulator.setFaults({ meta: { kind: "none" }, metaRefusals: {} });
  await world.query('DELETE FROM "Alert"');
});

const whatsApp = () => world.simulator.whatsApp;

/** A person who wrote and was answered. */
async function answered(): Promise<string> {
  const { phone } = newPerson();
  await whatsApp().text({ from: phone, body: "My tap drips" });
  await whatsApp().waitForSent(1, { to: phone });
  await eventually(
    () => rowsWith(world, phone),
    (rows) => rows.at(-1)?.status === "SENT",
  );
  return phone;
}

interface Row {
  status: string;
  errorCode: string | null;
  attempts: number;
  failures: number;
  waitSeconds: number;
}

async function row(id: string): Promise<Row | undefined> {
  const [found] = await world.query<Row>(
    `SELECT "status", "errorCode", "attempts", "failures", extract(epoch FROM "dueAt" - now())::float8 AS "waitSeconds"
     FROM "Message" WHERE "id" = $1`,
    [id],
  );
  return found;
}

const becomes = (id: string, status: string, attempts = 1) =>
  eventually(
    () => row(id),
    (found) => found?.status === status && found.attempts >= attempts,
  );

const sentOf = (messageId: string) => whatsApp().sent({ messageId });

describe("131056, one recipient written to too fast", () => {
  it("makes that recipient wait 4^n seconds, and others go on", async () => {
    const [slow, other] = [await answered(), await answered()];
    world.simulator.setFaults({ metaRefusals: { [slow]: 131056 } });
    const id = await queueMessage(world, slow, {});
    for (const [n, { seconds, before }] of [
      { seconds: 1, before: 0 },
      { seconds: 4, before: 1 },
      { seconds: 16, before: 4 },
    ].entries()) {
      if (n > 0) await world.query(`UPDATE "Message" SET "dueAt" = now() WHERE "id" = $1`, [id]);
      const waiting = await eventually(
        () => row(id),
        (found) => found?.status === "QUEUED" && found.failures === n + 1,
      );
      expect(waiting).toMatchObject({ errorCode: "131056", attempts: n + 1 });
      // However late it is looked at, more is left than the whole wait before.
      expect(waiting?.waitSeconds).toBeGreaterThan(before);
      expect(waiting?.waitSeconds).toBeLessThanOrEqual(seconds);
    }
    await becomes(await queueMessage(world, other, {}), "SENT");
    expect(await world.query('SELECT 1 FROM "ChannelStop"')).toEqual([]);

    world.simulator.setFaults({ metaRefusals: {} });
    await world.query(`UPDATE "Message" SET "dueAt" = now() WHERE "id" = $1`, [id]);
    await becomes(id, "SENT");
    expect(sentOf(id)).toHaveLength(1);
  });

  it("is not waited for by asking again within the same attempt", async () => {
    const slow = await answered();
    world.simulator.setFaults({ metaRefusals: { [slow]: 131056 } });
    const before = gateway.log.length;
    await becomes(await queueMessage(world, slow, {}), "QUEUED", 1);
    const tries = gateway.log.slice(before).filter(({ message }) => /attempt \d\/3/.test(message));
    expect(tries).toHaveLength(1);
  });
});

describe("a refusal that is about us", () => {
  it.each([190, 131042, 368])(
    "with %s stops the channel with an alert, keeps the queue, and ends with a probe",
    async (code) => {
      const [one, other] = [await answered(), await answered()];
      world.simulator.setFaults({ meta: { kind: "error", status: 400, code } });
      const first = await queueMessage(world, one, {});
      await eventually(
        () => world.query<{ code: string }>('SELECT "code" FROM "ChannelStop"'),
        ([stop]) => stop?.code === String(code),
      );
      const second = await queueMessage(world, other, {});
      await eventually(
        () => openAlerts(world),
        (types) => types.includes("CHANNEL_STOPPED"),
      );
      expect(await row(first)).toMatchObject({ status: "QUEUED", errorCode: String(code) });
      expect(await row(second)).toMatchObject({ status: "QUEUED", attempts: 0 });
      // SMS has nothing to do with it.
      const sms = newPerson().phone;
      await gateway.text({ from: sms, body: "My tap drips" });
      await world.simulator.waitForSent(1, { to: sms });

      world.simulator.setFaults({ meta: { kind: "none" } });
      await world.query(`UPDATE "ChannelStop" SET "probeAt" = now()`);
      for (const id of [first, second]) await becomes(id, "SENT");
      expect([...sentOf(first), ...sentOf(second)]).toHaveLength(2);
    },
  );
});

describe("a refusal that is about the message", () => {
  it("is logged with its channel and its code", async () => {
    const phone = await answered();
    world.simulator.setFaults({ metaRefusals: { [phone]: 131026 } });
    const id = await queueMessage(world, phone, {});
    const line = await gateway.logged(
      ({ message, messageId }) => messageId === id && message.includes("send failed"),
    );
    expect(line).toMatchObject({
      message: "whatsapp send failed (attempt 1/3)",
      channel: "whatsapp",
      outcome: "rejected",
      code: "131026",
    });
  });

  it.each([131026, 131047, 131051, 100])(
    "with %s fails it for good, and it alone",
    async (code) => {
      const phone = await answered();
      world.simulator.setFaults({ metaRefusals: { [phone]: code } });
      const id = await queueMessage(world, phone, {});
      expect(await becomes(id, "FAILED")).toMatchObject({ errorCode: String(code), attempts: 1 });
      world.simulator.setFaults({ metaRefusals: {} });
      await becomes(await queueMessage(world, phone, { body: "Next" }), "SENT");
      expect(await world.query('SELECT 1 FROM "ChannelStop"')).toEqual([]);
    },
  );

  it("with 131050 ends campaigns to that customer, not answers", async () => {
    const phone = await answered();
    world.simulator.setFaults({ metaRefusals: { [phone]: 131050 } });
    const id = await queueMessage(world, phone, { kind: "campaign" });
    await becomes(id, "FAILED");
    const [customer] = await world.query(
      `SELECT "optedOutAt" IS NULL AS "texts", "marketingOptedOutAt" IS NULL AS "campaigns" FROM "Customer" WHERE "phone" = $1`,
      [phone],
    );
    expect(customer).toEqual({ texts: true, campaigns: false });
    world.simulator.setFaults({ metaRefusals: {} });
    await becomes(await queueMessage(world, phone, { body: "Answer" }), "SENT");
  });
});

describe("130429, a number of ours that sends too fast", () => {
  it.each([400, 403, 429])("waits and is sent, also with the status %s", async (status) => {
    const phone = await answered();
    world.simulator.setFaults({ meta: { kind: "error", status, code: 130429, times: 4 } });
    const id = await queueMessage(world, phone, {});
    await becomes(id, "SENT", 2);
    expect(sentOf(id)).toHaveLength(1);
  });
});

describe("a send without an answer", () => {
  it.each(["accept-then-reset", "accept-then-hang"] as const)(
    "(%s) is UNKNOWN, and settled by a status that carries our id",
    async (kind) => {
      const phone = await answered();
      world.simulator.setFaults({ meta: { kind, times: 1 } });
      const id = await queueMessage(world, phone, {});
      await becomes(id, "UNKNOWN");
      const [sent] = sentOf(id);
      const { final } = await whatsApp().statuses([{ id: sent?.wamid, status: "delivered" }]);
      expect(final?.status).toBe(200);
      expect(await row(id)).toMatchObject({ status: "DELIVERED", attempts: 1 });
      const [stored] = await world.query(`SELECT "waMessageId" FROM "Message" WHERE "id" = $1`, [
        id,
      ]);
      expect(stored).toEqual({ waMessageId: sent?.wamid });
      expect(sentOf(id)).toHaveLength(1);
    },
  );

  it("holds up the texts behind it, and no others", async () => {
    const [phone, other] = [await answered(), await answered()];
    world.simulator.setFaults({ meta: { kind: "accept-then-reset", times: 1 } });
    const first = await queueMessage(world, phone, { body: "First" });
    await becomes(first, "UNKNOWN");
    const second = await queueMessage(world, phone, { body: "Second" });
    await becomes(await queueMessage(world, other, {}), "SENT");
    expect(await row(second)).toMatchObject({ status: "QUEUED", attempts: 0 });
    await whatsApp().statuses([{ id: sentOf(first)[0]?.wamid, status: "sent" }]);
    await becomes(second, "SENT");
  });

  it("and without any status is sent again once, after the wait and not before; then given up on", async () => {
    const phone = await answered();
    world.simulator.setFaults({ meta: { kind: "accept-then-reset" } });
    const id = await queueMessage(world, phone, {});
    await becomes(id, "UNKNOWN");
    const again = await becomes(id, "UNKNOWN", 2);
    expect(again?.attempts).toBe(2);
    const [first, second] = sentOf(id);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1500);
    await becomes(id, "DEAD");
    expect(sentOf(id)).toHaveLength(2);
  });

  it("of a campaign is never sent again", async () => {
    const phone = await answered();
    world.simulator.setFaults({ meta: { kind: "accept-then-reset" } });
    const id = await queueMessage(world, phone, { kind: "campaign" });
    await becomes(id, "DEAD");
    expect(sentOf(id)).toHaveLength(1);
  });
});
