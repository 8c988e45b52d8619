import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import { countRows } from "./rows.ts";
import {
  createWhatsAppWorld,
  newPerson,
  rowsWith,
  startWhatsAppGateway,
} from "./whatsapp-world.ts";

const MESSAGES = 1000;
const SENDERS = 250;

let world: World;
let gateway: RunningGateway;

beforeEach(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world, { WHATSAPP_PROCESSING: "deferred" });
});
afterEach(() => world.close());

function isAnswered(...addresses: string[]) {
  return eventually(
    () => rowsWith(world, ...addresses),
    (rows) => rows.every(({ status }) => status !== "DEFERRED"),
  );
}

it("a batch of a thousand is acknowledged when all of it is stored, in order per sender, before the model has said a word", async () => {
  world.simulator.setFaults({ model: { kind: "hang" } });
  const { whatsApp } = world.simulator;
  const messages = Array.from({ length: MESSAGES }, (_, index) => ({
    from: `44712390${String(index % SENDERS).padStart(4, "0")}`,
    id: `wamid.many${index}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: "text",
    text: { body: `Text ${String(index).padStart(4, "0")}` },
  }));
  const { final } = await whatsApp.send(messages);
  expect(final?.status).toBe(200);
  const stored = await world.query<{ sender: string; bodies: string[] }>(
    `SELECT "sender", array_agg("body" ORDER BY "position") AS "bodies" FROM "Message" WHERE "status" = 'DEFERRED' GROUP BY 1`,
  );
  expect(stored).toHaveLength(SENDERS);
  for (const { bodies } of stored) expect(bodies).toEqual(bodies.toSorted());
  expect(stored.flatMap(({ bodies }) => bodies)).toHaveLength(MESSAGES);
  world.simulator.setFaults({ model: { kind: "none" } });
}, 60_000);

it("what is attached to a message is there to be fetched", async () => {
  const { whatsApp } = world.simulator;
  const image = whatsApp.addMedia(Buffer.from("a picture"), "image/jpeg");
  const { phone } = newPerson();
  const at = String(Math.floor(Date.now() / 1000));
  const from = phone.slice(1);
  await whatsApp.send([{ from, id: "wamid.picture", timestamp: at, type: "image", image }]);
  const [message] = await isAnswered(phone);
  expect(message).toMatchObject({ type: "image", direction: "INBOUND", status: "RECEIVED" });
  expect(
    await world.query(`SELECT "messageId", "channel", "contentType" FROM "MediaFile"`),
  ).toEqual([{ messageId: message?.id, channel: "whatsapp", contentType: "image/jpeg" }]);
});

it("somebody known by phone, then by user id, then by both is one customer with one conversation", async () => {
  const { whatsApp } = world.simulator;
  const { phone, userId } = newPerson();
  await whatsApp.text({ from: phone, body: "My pipe leaks" });
  await whatsApp.text({ userId, body: "In the kitchen" });
  expect(await countRows(world)).toMatchObject({ Customer: 2, Conversation: 2 });
  await whatsApp.text({ from: phone, userId, body: "At 5 High Street" });
  await whatsApp.text({ userId, body: "Tomorrow please" });
  const rows = await isAnswered(phone, userId);
  expect(await countRows(world)).toMatchObject({ Customer: 1, Conversation: 1 });
  expect(new Set(rows.map(({ conversationId }) => conversationId)).size).toBe(1);
  expect(rows.filter(({ direction }) => direction === "INBOUND")).toHaveLength(4);
});

it("STOP is confirmed once, and START welcomed once", async () => {
  const { whatsApp } = world.simulator;
  const { phone } = newPerson();
  await whatsApp.text({ from: phone, body: "My pipe leaks" });
  await whatsApp.waitForSent(1);
  await whatsApp.text({ from: phone, body: "STOP" });
  await whatsApp.waitForSent(2);
  await isAnswered(phone);
  await whatsApp.text({ from: phone, body: "START" });
  await whatsApp.waitForSent(3);
  const rows = await isAnswered(phone);
  expect(rows.filter(({ direction }) => direction === "OUTBOUND").map(({ kind }) => kind)).toEqual([
    "reply",
    "opt_out_confirmation",
    "reply",
  ]);
  const { log } = gateway;
  const consents = log.flatMap(({ event = "" }) => (event.startsWith("opt_") ? [event] : []));
  expect(consents).toEqual(["opt_out_recorded", "opt_in_recorded"]);
});

it("the same id twice in one webhook is one text, also beside a STOP", async () => {
  const { phone } = newPerson();
  const text = (id: string, body: string) => ({
    from: phone.slice(1),
    id,
    type: "text",
    text: { body },
  });
  const hello = text("wamid.twice", "Hello");
  const { final } = await world.simulator.whatsApp.send([hello, hello, text("wamid.stop", "STOP")]);
  expect(final?.status).toBe(200);
  const [customer] = await world.query(
    `SELECT "optedOutAt" IS NOT NULL AS "optedOut" FROM "Customer" WHERE "phone" = $1`,
    [phone],
  );
  expect(customer).toEqual({ optedOut: true });
  const rows = await isAnswered(phone);
  expect(rows.filter(({ direction }) => direction === "INBOUND")).toHaveLength(2);
});
