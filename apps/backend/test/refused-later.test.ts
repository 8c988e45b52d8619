import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { DELIVERY } from "../src/outbound/timings.ts";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import {
  createWhatsAppWorld,
  newPerson,
  queueMessage,
  rowsWith,
  startWhatsAppGateway,
} from "./whatsapp-world.ts";

const UNPAID = { errors: [{ code: 131042 }] };

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world, {}, { pollMs: 100 });
});
afterAll(() => world.close());
afterEach(async () => {
  world.simulator.setFaults({ metaReceipts: false });
  await world.query(`UPDATE "Message" SET "status" = 'FAILED' WHERE "status" = 'QUEUED'`);
  await world.query('DELETE FROM "ChannelStop"');
});

const whatsApp = () => world.simulator.whatsApp;

/** The answer to a new person's text, once it is sent. */
async function anAnswer() {
  const { phone } = newPerson();
  await whatsApp().text({ from: phone, body: "My tap drips" });
  await eventually(
    () => rowsWith(world, phone),
    (rows) => rows.at(-1)?.status === "SENT",
  );
  const { id = "", waMessageId } = (await rowsWith(world, phone)).at(-1) ?? {};
  return { id, phone, wamid: waMessageId ?? "" };
}

/** A status as Meta gives it, with our own id. */
async function report(status: string, { id, wamid }: { id: string; wamid: string }, more = {}) {
  const { final } = await whatsApp().statuses([
    { id: wamid, status, biz_opaque_callback_data: id, ...more },
  ]);
  expect(final?.status).toBe(200);
}

async function row(id: string) {
  const [found] = await world.query(
    `SELECT "status", "errorCode", "waMessageId", "failures" FROM "Message" WHERE "id" = $1`,
    [id],
  );
  return found;
}

const becomes = (id: string, status: string) =>
  eventually(
    () => row(id),
    (found) => found?.["status"] === status,
  );

/** The account is paid for, and the waits are over. */
async function pay(): Promise<void> {
  await world.query('DELETE FROM "ChannelStop"');
  await world.query(`UPDATE "Message" SET "dueAt" = now() WHERE "status" = 'QUEUED'`);
}

const WAITING = { status: "QUEUED", errorCode: "131042", waMessageId: null };

describe("a message that was taken and then refused because the account has not paid", () => {
  it("stops the channel with an alert, waits, and leaves before what was said after it", async () => {
    const answer = await anAnswer();
    await report("failed", answer, UNPAID);
    expect(await world.query('SELECT "channel", "sender", "code" FROM "ChannelStop"')).toEqual([
      { channel: "whatsapp", sender: "", code: "131042" },
    ]);
    const alert = await gateway.logged((line) => line.event === "alert_raised");
    expect(alert).toMatchObject({ key: "CHANNEL_STOPPED:whatsapp" });
    expect(await row(answer.id)).toMatchObject({ ...WAITING, failures: 1 });
    const next = await queueMessage(world, answer.phone, { body: "Are you there?" });
    await pay();
    await becomes(next, "SENT");
    const sent = whatsApp().sent({ to: answer.phone });
    expect(sent.map(({ messageId }) => messageId)).toEqual([answer.id, answer.id, next]);
    expect(await row(answer.id)).toMatchObject({
      status: "SENT",
      errorCode: null,
      waMessageId: sent[1]?.wamid,
    });
    expect(gateway.log.filter(({ event }) => event === "message_failed")).toEqual([]);
  });

  it("goes on waiting, and is sent once, when that is said twice and its acceptance comes last", async () => {
    const answer = await anAnswer();
    for (const status of ["failed", "failed", "sent"]) await report(status, answer, UNPAID);
    expect(await row(answer.id)).toMatchObject({ ...WAITING, failures: 1 });
    await pay();
    await becomes(answer.id, "SENT");
    const [, again] = whatsApp().sent({ to: answer.phone });
    await report("failed", answer, UNPAID);
    expect(await row(answer.id)).toMatchObject({ status: "SENT", waMessageId: again?.wamid });
    await report("delivered", { ...answer, wamid: again?.wamid ?? "" });
    expect(await row(answer.id)).toMatchObject({ status: "DELIVERED" });
    expect(await world.query('SELECT 1 FROM "ChannelStop"')).toEqual([]);
    expect(gateway.log.filter(({ message }) => /accepted twice/.test(message))).toEqual([]);
  });

  it("does not leave again when it was delivered after all", async () => {
    const answer = await anAnswer();
    await report("failed", answer, UNPAID);
    await report("delivered", answer);
    await pay();
    const next = await queueMessage(world, answer.phone, { body: "Are you there?" });
    await becomes(next, "SENT");
    expect(await row(answer.id)).toMatchObject({ status: "DELIVERED", waMessageId: answer.wamid });
    expect(whatsApp().sent({ to: answer.phone })).toHaveLength(2);
  });

  it("waits also when that is known before the answer to its send", async () => {
    const { phone } = await anAnswer();
    world.simulator.setFaults({
      metaReceipts: { beforeAnswer: true, final: "failed", errorCode: 131042 },
    });
    const id = await queueMessage(world, phone, { body: "On our way" });
    await gateway.logged((line) => line["messageId"] === id && /queued again/.test(line.message));
    world.simulator.setFaults({ metaReceipts: false });
    await pay();
    await becomes(id, "SENT");
    const sent = whatsApp().sent({ messageId: id });
    expect(sent).toHaveLength(2);
    expect(await row(id)).toMatchObject({ waMessageId: sent[1]?.wamid });
  });

  it("is given up on when the schedule is used up", async () => {
    const answer = await anAnswer();
    await world.query(`UPDATE "Message" SET "failures" = $2 WHERE "id" = $1`, [
      answer.id,
      DELIVERY.retryScheduleMs.length,
    ]);
    await report("failed", answer, UNPAID);
    expect(await row(answer.id)).toMatchObject({ status: "FAILED", waMessageId: answer.wamid });
  });

  it("fails when only one member of a group is told of", async () => {
    const answer = await anAnswer();
    const member = { recipient_type: "group", recipient_participant_id: "447000000001" };
    await report("failed", answer, { ...UNPAID, ...member });
    expect(await row(answer.id)).toMatchObject({ status: "FAILED", waMessageId: answer.wamid });
  });

  it.each([
    [
      "was sent again without evidence",
      `"status" = 'UNKNOWN', "unknownSince" = now(), "sentAt" = NULL, "resends" = 1`,
    ],
    ["is being sent again", `"status" = 'SENDING', "leasedUntil" = now() + interval '1 hour'`],
  ])("is not sent again when it %s: it may be the earlier send", async (_what, columns) => {
    const { id } = await anAnswer();
    await world.query(
      `UPDATE "Message" SET "providerMessageId" = NULL, "dueAt" = now() + interval '1 hour', ${columns} WHERE "id" = $1`,
      [id],
    );
    await report("failed", { id, wamid: `wamid.one-of-two-${id}` }, UNPAID);
    expect(await row(id)).toMatchObject({ status: "FAILED" });
  });

  it("is not sent again when it tells the founder, who is told by newer ones", async () => {
    const answer = await anAnswer();
    await world.query(`UPDATE "Message" SET "kind" = 'founder_alert' WHERE "id" = $1`, [answer.id]);
    await report("failed", answer, UNPAID);
    expect(await row(answer.id)).toMatchObject({ status: "FAILED" });
  });
});
