import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import { OPERATOR, URGENT_WORDS } from "./operator-world.ts";
import {
  createWhatsAppWorld,
  newPerson,
  rowsWith,
  startWhatsAppGateway,
} from "./whatsapp-world.ts";

let world: World;
let gateway: RunningGateway;
let phone: string;
let ids = 0;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world);
});
afterAll(() => world.close());
beforeEach(() => {
  ({ phone } = newPerson());
});
afterEach(() => world.simulator.setFaults({ metaReads: "answered", modelDelayMs: 0 }));

const whatsApp = () => world.simulator.whatsApp;

async function text(body: string, from = phone): Promise<void> {
  const { final } = await whatsApp().text({ from, body });
  expect(final?.status).toBe(200);
}

/** Posts a message of Meta's that is no plain text. */
async function send(message: object, from = phone): Promise<void> {
  ids += 1;
  const { final } = await whatsApp().send([
    {
      from: from.slice(1),
      id: `wamid.kind${ids}`,
      timestamp: String(Math.floor(Date.now() / 1000)),
      ...message,
    },
  ]);
  expect(final?.status).toBe(200);
}

async function answers(to = phone): Promise<string[]> {
  const rows = await rowsWith(world, to);
  return rows.filter(({ direction }) => direction === "OUTBOUND").map(({ body }) => body);
}

describe("the operator's own phone on WhatsApp", () => {
  const told = async () => (await answers(OPERATOR)).at(-1);

  it("gives orders, and is answered on WhatsApp", async () => {
    await text(URGENT_WORDS);
    const [job] = await world.query<{ number: number }>(
      `SELECT j."number" FROM "Job" j JOIN "Message" m ON m."conversationId" = j."conversationId" WHERE m."sender" = $1`,
      [phone],
    );
    await text(`YES ${job?.number}`, OPERATOR);
    expect(await told()).toContain(String(job?.number));
    const [accepted] = await world.query('SELECT "status" FROM "Job" WHERE "number" = $1', [
      job?.number,
    ]);
    expect(accepted).toEqual({ status: "ACCEPTED" });
    const [sent] = await whatsApp().waitForSent(1, { to: OPERATOR });
    expect(sent?.body).toBe(await told());
    // The customer is told on the channel on which they wrote.
    await eventually(answers, (bodies) => bodies.length === 2);
    await whatsApp().waitForSent(2, { to: phone });
    const [customer] = await world.query<{ count: number }>(
      'SELECT count(*)::int AS "count" FROM "Customer" WHERE "phone" = $1',
      [OPERATOR],
    );
    expect(customer?.count).toBe(0);
  });

  it("is not answered for a reaction", async () => {
    const before = await answers(OPERATOR);
    await send({ type: "reaction", reaction: { message_id: "wamid.x", emoji: "👍" } }, OPERATOR);
    expect(await answers(OPERATOR)).toEqual(before);
    expect((await rowsWith(world, OPERATOR)).at(-1)).toMatchObject({
      kind: "operator_text",
      type: "reaction",
    });
  });
});

describe("STOP and START", () => {
  it("are each confirmed once", async () => {
    await text("My tap drips");
    // What still waits when somebody says STOP is not sent any more.
    await whatsApp().waitForSent(1, { to: phone });
    await text("STOP");
    await text("stop");
    await text("Still there?");
    await text("START");
    await text("Hello");
    expect(await answers()).toEqual([
      expect.stringContaining("My tap drips"),
      expect.stringMatching(/no more texts/),
      expect.stringMatching(/again/),
      expect.stringContaining("Hello"),
    ]);
    const sent = await whatsApp().waitForSent(4, { to: phone });
    expect(sent.map(({ body }) => body)).toEqual(await answers());
  });

  it("count also as the title of a button", async () => {
    await send({ type: "button", button: { text: "Stop", payload: "unsubscribe" } });
    expect(await answers()).toEqual([expect.stringMatching(/no more texts/)]);
  });

  it("are not confirmed by us on SMS, where the provider does it", async () => {
    for (const body of ["STOP", "START"]) await gateway.text({ from: phone, body });
    const rows = await world.query(
      `SELECT 1 FROM "Message" WHERE "recipient" = $1 AND "direction" = 'OUTBOUND'`,
      [phone],
    );
    expect(rows).toEqual([]);
  });

  it("on WhatsApp count on SMS, too: it is the same customer", async () => {
    await text("STOP");
    await gateway.text({ from: phone, body: "And by text?" });
    expect(world.simulator.sent({ to: phone })).toEqual([]);
  });
});

describe("a message that calls for no answer", () => {
  it.each<[string, object]>([
    ["reaction", { reaction: { message_id: "wamid.x", emoji: "👍" } }],
    ["reaction", { reaction: { message_id: "wamid.x" } }],
    ["revoke", { revoke: { original_message_id: "wamid.x" } }],
    ["system", { system: { type: "customer_identity_changed", body: "x", identity: "y" } }],
  ])("is stored and not answered: %s %j", async (type, content) => {
    const calls = world.simulator.modelCalls().length;
    await send({ type, ...content });
    expect(await rowsWith(world, phone)).toMatchObject([
      { direction: "INBOUND", kind: "silent", type, status: "RECEIVED" },
    ]);
    expect(world.simulator.modelCalls()).toHaveLength(calls);
  });

  it("is known to the assistant when the next one comes", async () => {
    await text("Shall I send a picture?");
    await send({ type: "reaction", reaction: { message_id: "wamid.x", emoji: "👍" } });
    await text("Well?");
    const asked = world.simulator
      .modelCalls()
      .at(-1)
      ?.messages.map(({ content }) => content);
    expect(asked).toContain("[reaction: 👍]");
  });
});

describe("what the assistant reads", () => {
  const lastAsked = () => world.simulator.modelCalls().at(-1)?.messages.at(-1)?.content;

  it.each<[string, object, RegExp]>([
    [
      "image",
      { image: { id: "1", mime_type: "image/jpeg", caption: "The leak" } },
      /The leak[^]*picture[^]*image\/jpeg/,
    ],
    ["image", { image: { id: "1", mime_type: "image/jpeg" } }, /picture[^]*image\/jpeg/],
    ["audio", { audio: { id: "1", mime_type: "audio/ogg; codecs=opus", voice: true } }, /file/],
    [
      "document",
      { document: { id: "1", mime_type: "application/pdf", filename: "plan.pdf" } },
      /plan\.pdf[^]*application\/pdf/,
    ],
    [
      "location",
      { location: { latitude: 51.5, longitude: -0.12, name: "Home" } },
      /51\.5[^]*-0\.12[^]*Home/,
    ],
    [
      "interactive",
      { interactive: { type: "list_reply", list_reply: { id: "1", title: "Tomorrow" } } },
      /^Tomorrow$/,
    ],
    ["hologram", { hologram: { id: "1" } }, /cannot be shown/],
  ])("of a message of type %s: %j", async (type, content, words) => {
    await send({ type, ...content });
    expect(lastAsked()).toMatch(words);
    const [inbound, answer] = await rowsWith(world, phone);
    expect(inbound).toMatchObject({ type: type === "hologram" ? "unknown" : type });
    expect(answer).toMatchObject({ direction: "OUTBOUND" });
  });
});

describe("while the assistant thinks", () => {
  it("the message is shown as read and being answered, before the answer is sent", async () => {
    world.simulator.setFaults({ modelDelayMs: 1500 });
    const before = whatsApp().reads().length;
    const id = `wamid.read${phone}`;
    await whatsApp().text({ from: phone, body: "My tap drips", id });
    const read = (await whatsApp().waitForReads(before + 1)).at(-1);
    expect(read).toMatchObject({ wamid: id, typing: true, from: whatsApp().phoneNumberId });
    const [sent] = await whatsApp().waitForSent(1, { to: phone });
    expect(read?.at).toBeLessThan(sent?.at ?? 0);
  });

  it("a refusal costs nothing", async () => {
    world.simulator.setFaults({ metaReads: "refused" });
    await text("My tap drips");
    expect(await whatsApp().waitForSent(1, { to: phone })).toHaveLength(1);
  });

  it("a request that hangs costs nothing", async () => {
    world.simulator.setFaults({ metaReads: "hanging" });
    const before = whatsApp().reads().length;
    await text("My tap drips");
    const [sent] = await whatsApp().waitForSent(1, { to: phone });
    const read = (await whatsApp().waitForReads(before + 1)).at(-1);
    // It is given up after 5 s: an answer that waits for it leaves later than that.
    expect((sent?.at ?? Infinity) - (read?.at ?? 0)).toBeLessThan(5000);
  });

  it("nothing is shown when nothing will be answered", async () => {
    const before = whatsApp().reads().length;
    await text("STOP");
    await send({ type: "reaction", reaction: { message_id: "wamid.x", emoji: "👍" } });
    await text("Still there?");
    expect(whatsApp().reads()).toHaveLength(before);
  });
});

it("an urgent job on WhatsApp alerts the operator by SMS", async () => {
  await text(URGENT_WORDS);
  const alerts = await eventually(
    async () => world.simulator.sent({ to: OPERATOR, from: demoTenant.phoneNumber }),
    (sent) => sent.some(({ body }) => body.includes(phone)),
  );
  expect(alerts.at(-1)?.body).toContain("burst");
});
