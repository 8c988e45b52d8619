import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import {
  createWhatsAppWorld,
  newPerson,
  queueMessage,
  rowsWith,
  startWhatsAppGateway,
  type WhatsAppRow,
} from "./whatsapp-world.ts";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world, {}, { pollMs: 100 });
});
afterAll(() => world.close());
afterEach(() => world.simulator.setFaults({ metaReceipts: false }));

const whatsApp = () => world.simulator.whatsApp;

/** The answer to a new person's text, once it is sent. */
async function anAnswer(): Promise<WhatsAppRow & { wamid: string; phone: string }> {
  const { phone } = newPerson();
  await whatsApp().text({ from: phone, body: "My tap drips" });
  const row = await becomes(phone, "SENT");
  return { ...row, phone, wamid: row.waMessageId ?? "" };
}

async function answerTo(phone: string): Promise<WhatsAppRow | undefined> {
  return (await rowsWith(world, phone)).find(({ direction }) => direction === "OUTBOUND");
}

async function becomes(phone: string, status: string): Promise<WhatsAppRow> {
  const row = await eventually(
    () => answerTo(phone),
    (answer) => answer?.status === status,
  );
  if (row === undefined) throw new Error(`${phone} got no answer`);
  return row;
}

async function report(status: string, wamid: string, more: object = {}): Promise<void> {
  const { final } = await whatsApp().statuses([
    { id: wamid, status, ...(status === "failed" && { errors: [{ code: 131026 }] }), ...more },
  ]);
  expect(final?.status).toBe(200);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, place) =>
    permutations(items.toSpliced(place, 1)).map((rest) => [first, ...rest]),
  );
}

/** Every non-empty set of statuses in every order. */
const ORDERS = Array.from({ length: 15 }, (_, set) =>
  ["sent", "delivered", "read", "failed"].filter((_status, bit) => ((set + 1) >> bit) % 2 === 1),
).flatMap((set) => permutations(set));

/** Whoever has the message in hand has it despite a failure. */
function endOf(statuses: string[]): string {
  const rank = ["sent", "failed", "delivered", "read"];
  const highest = Math.max(...statuses.map((status) => rank.indexOf(status)));
  return (rank[highest] ?? "").toUpperCase();
}

describe("statuses", () => {
  it("of each of the 64 orders end the same, also when each comes twice", async () => {
    expect(ORDERS).toHaveLength(64);
    const answer = await anAnswer();
    for (const order of ORDERS) {
      await world.query(
        `UPDATE "Message" SET "status" = 'SENT', "errorCode" = NULL WHERE "id" = $1`,
        [answer.id],
      );
      for (const status of order) await report(status, answer.wamid);
      const once = await answerTo(answer.phone);
      for (const status of order) await report(status, answer.wamid);
      const twice = await answerTo(answer.phone);
      expect([order, once?.status, twice?.status]).toEqual([order, endOf(order), endOf(order)]);
      expect([order, twice?.errorCode]).toEqual([
        order,
        endOf(order) === "FAILED" ? "131026" : null,
      ]);
    }
  }, 60_000);

  it("of one webhook are applied whatever their order in it", async () => {
    const answer = await anAnswer();
    const { final } = await whatsApp().statuses(
      ["read", "sent", "delivered", "sent"].map((status) => ({ id: answer.wamid, status })),
    );
    expect(final?.status).toBe(200);
    expect(await answerTo(answer.phone)).toMatchObject({ status: "READ" });
  });

  it("beside one that cannot be read are applied", async () => {
    const answer = await anAnswer();
    const { final } = await whatsApp().statuses([
      { id: answer.wamid, status: "deleted" },
      { status: "read" },
      { id: answer.wamid, status: "delivered" },
    ]);
    expect(final?.status).toBe(200);
    expect(await answerTo(answer.phone)).toMatchObject({ status: "DELIVERED" });
  });

  it.each([false, true])(
    "that begin before the send was answered are not lost; in any order: %s",
    async (shuffle) => {
      const { phone } = newPerson();
      world.simulator.setFaults({
        metaReceipts: { beforeAnswer: true, final: "read", shuffle, repeat: 1, maxDelayMs: 50 },
      });
      await whatsApp().text({ from: phone, body: "My tap drips" });
      await becomes(phone, "READ");
      expect(await answerTo(phone)).toMatchObject({ attempts: 1, waMessageId: expect.any(String) });
      expect(whatsApp().sent({ to: phone })).toHaveLength(1);
    },
  );

  it("of a message nobody knows yet are kept and applied once it is known", async () => {
    const { phone, wamid, id } = await anAnswer();
    await world.query(
      `UPDATE "Message" SET "providerMessageId" = NULL, "status" = 'SENDING', "leasedUntil" = now() + interval '1 hour' WHERE "id" = $1`,
      [id],
    );
    // Without our own id in it, nothing ties it to the row.
    await report("delivered", wamid, { biz_opaque_callback_data: undefined });
    expect(await answerTo(phone)).toMatchObject({ status: "SENDING" });
    await world.query(
      `UPDATE "Message" SET "providerMessageId" = $2, "status" = 'SENT', "leasedUntil" = NULL WHERE "id" = $1`,
      [id, wamid],
    );
    await becomes(phone, "DELIVERED");
  });

  it("played is read", async () => {
    const answer = await anAnswer();
    await report("played", answer.wamid);
    expect(await answerTo(answer.phone)).toMatchObject({ status: "READ" });
  });

  it("failed outside the window is told with its code", async () => {
    const answer = await anAnswer();
    await report("failed", answer.wamid, { errors: [{ code: 131047 }] });
    expect(await answerTo(answer.phone)).toMatchObject({ status: "FAILED", errorCode: "131047" });
    const event = await gateway.logged(
      (line) => line.event === "message_failed" && line["messageId"] === answer.id,
    );
    expect(event).toMatchObject({ code: "131047" });
  });

  it("that say that marketing is unwanted end campaigns, not answers", async () => {
    const answer = await anAnswer();
    await report("failed", answer.wamid, { errors: [{ code: 131050 }] });
    const [customer] = await world.query(
      `SELECT "optedOutAt" IS NULL AS "texts", "marketingOptedOutAt" IS NULL AS "campaigns" FROM "Customer" WHERE "phone" = $1`,
      [answer.phone],
    );
    expect(customer).toEqual({ texts: true, campaigns: false });
    const { final } = await whatsApp().text({ from: answer.phone, body: "And now?" });
    expect(final?.status).toBe(200);
    await whatsApp().waitForSent(2, { to: answer.phone });
  });

  it("of a group come once per participant: what one of them has, was delivered", async () => {
    const answer = await anAnswer();
    const ofGroup = (participant: string) => ({
      recipient_id: "120363000000000000",
      recipient_type: "group",
      recipient_participant_id: participant,
    });
    await report("delivered", answer.wamid, ofGroup("447000000001"));
    await report("sent", answer.wamid, ofGroup("447000000002"));
    await report("failed", answer.wamid, ofGroup("447000000003"));
    expect(await answerTo(answer.phone)).toMatchObject({ status: "DELIVERED" });
  });

  it("of a group that nobody knows yet are kept for each participant", async () => {
    const wamid = "wamid.group-early";
    const early = ["447000000001", "447000000002"].map((participant) => ({
      id: wamid,
      status: "delivered",
      recipient_id: "120363000000000000",
      recipient_type: "group",
      recipient_participant_id: participant,
    }));
    for (let time = 0; time < 2; time += 1)
      expect((await whatsApp().statuses(early)).final?.status).toBe(200);
    const kept = await world.query<{ participant: string }>(
      `SELECT "participant" FROM "PendingReceipt" WHERE "providerMessageId" = $1 ORDER BY 1`,
      [wamid],
    );
    expect(kept.map(({ participant }) => participant)).toEqual(["447000000001", "447000000002"]);
  });

  it("that arrive while a message is put aside prove that it was sent: it does not leave twice", async () => {
    const { phone } = newPerson();
    await whatsApp().text({ from: phone, body: "My tap drips" });
    await becomes(phone, "SENT");
    const id = await queueMessage(world, phone, { body: "On our way" });
    await whatsApp().waitForSent(2, { to: phone });
    const [, sent] = whatsApp().sent({ to: phone });
    await eventually(
      () => world.query<{ status: string }>(`SELECT "status" FROM "Message" WHERE "id" = $1`, [id]),
      ([row]) => row?.status === "SENT",
    );
    // As if its answer had been lost, and the window had closed before it was to be sent again.
    await world.query(
      `UPDATE "Message" SET "status" = 'HELD', "providerMessageId" = NULL WHERE "id" = $1`,
      [id],
    );
    await report("delivered", sent?.wamid ?? "");
    const [row] = await world.query(`SELECT "status" FROM "Message" WHERE "id" = $1`, [id]);
    expect(row).toEqual({ status: "DELIVERED" });
  });
});
