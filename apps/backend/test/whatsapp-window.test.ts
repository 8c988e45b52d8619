import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { eventually } from "./eventually.ts";
import type { World } from "./harness.ts";
import {
  createWhatsAppWorld,
  newPerson,
  openAlerts,
  queueMessage,
  rowsWith,
  startWhatsAppGateway,
  type WhatsAppRow,
} from "./whatsapp-world.ts";

let world: World;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  await startWhatsAppGateway(world, {}, { pollMs: 50 });
});
afterAll(() => world.close());
afterEach(async () => {
  await world.query('UPDATE "Client" SET "reengagementTemplate" = NULL, "outboundPaused" = false');
});

const whatsApp = () => world.simulator.whatsApp;
const HOUR_MS = 3_600_000;

/** A person who wrote and was answered, and has said nothing for so many hours. */
async function silentPerson(hours = 25): Promise<string> {
  const { phone } = newPerson();
  await whatsApp().text({ from: phone, body: "My tap drips" });
  await whatsApp().waitForSent(1, { to: phone });
  await eventually(
    () => rowsWith(world, phone),
    (rows) => rows.every(({ status }) => status === "RECEIVED" || status === "SENT"),
  );
  await setLastInbound(phone, hours * HOUR_MS);
  whatsApp().closeWindow(phone);
  return phone;
}

async function setLastInbound(phone: string, agoMs: number): Promise<void> {
  await world.query(
    `UPDATE "Conversation" v SET "lastInboundAt" = $2 FROM "Customer" c WHERE c."id" = v."customerId" AND c."phone" = $1`,
    [phone, new Date(Date.now() - agoMs)],
  );
}

async function setTemplate(template: object): Promise<void> {
  await world.query('UPDATE "Client" SET "reengagementTemplate" = $1 WHERE "id" = $2', [
    JSON.stringify(template),
    demoTenant.id,
  ]);
}

async function becomes(id: string, status: string): Promise<WhatsAppRow> {
  const [row] = await eventually(
    () => world.query<WhatsAppRow>('SELECT * FROM "Message" WHERE "id" = $1', [id]),
    ([found]) => found?.status === status,
  );
  if (row === undefined) throw new Error("the row is gone");
  return row;
}

const bodiesTo = (phone: string) =>
  whatsApp()
    .sent({ to: phone })
    .map(({ body }) => body);

describe("a reply whose customer has been silent for a day", () => {
  it("waits with an alert, leaves in order when they write again, and the alert ends", async () => {
    const phone = await silentPerson();
    const ids = [];
    for (const body of ["First", "Second"]) ids.push(await queueMessage(world, phone, { body }));
    for (const id of ids)
      expect(await becomes(id, "HELD")).toMatchObject({ errorCode: "window-closed" });
    expect(bodiesTo(phone)).toHaveLength(1);
    await eventually(
      () => openAlerts(world),
      (types) => types.includes("WINDOW_CLOSED"),
    );

    await whatsApp().text({ from: phone, body: "Hello again" });
    await whatsApp().waitForSent(4, { to: phone });
    const [, first, second, answer] = bodiesTo(phone);
    expect([first, second]).toEqual(["First", "Second"]);
    expect(answer).toContain("Hello again");
    for (const id of ids) expect(await becomes(id, "SENT")).toMatchObject({ errorCode: null });
    await eventually(
      () => openAlerts(world),
      (types) => !types.includes("WINDOW_CLOSED"),
    );
  });

  it("is judged when it leaves, not when it was queued", async () => {
    const phone = await silentPerson(0);
    whatsApp().openWindow(phone);
    await world.query(
      `INSERT INTO "ChannelStop" ("channel", "sender", "recipientPrefix", "code", "probeAt") VALUES ('whatsapp', '', '', 'test', now() + interval '1 hour')`,
    );
    const id = await queueMessage(world, phone, { body: "Queued in time" });
    await setLastInbound(phone, 25 * HOUR_MS);
    await world.query('DELETE FROM "ChannelStop"');
    await becomes(id, "HELD");
    expect(bodiesTo(phone)).not.toContain("Queued in time");
  });

  it("leaves a minute before the end, and is held in the last one", async () => {
    const phone = await silentPerson(0);
    whatsApp().openWindow(phone);
    await setLastInbound(phone, 24 * HOUR_MS - 90_000);
    const inTime = await queueMessage(world, phone, { body: "In time" });
    expect(await becomes(inTime, "SENT")).toMatchObject({ attempts: 1 });
    await setLastInbound(phone, 24 * HOUR_MS - 30_000);
    const tooLate = await queueMessage(world, phone, { body: "Too late" });
    expect(await becomes(tooLate, "HELD")).toMatchObject({ errorCode: "window-closed" });
  });

  it("stays with its customer's wish: after STOP it is not sent any more", async () => {
    const phone = await silentPerson();
    const id = await queueMessage(world, phone, { body: "Not wanted" });
    await becomes(id, "HELD");
    await whatsApp().text({ from: phone, body: "STOP" });
    expect(await becomes(id, "FAILED")).toMatchObject({ errorCode: "opted-out" });
    expect(bodiesTo(phone)).not.toContain("Not wanted");
  });

  it("does not keep the texts of others waiting", async () => {
    const phone = await silentPerson();
    await becomes(await queueMessage(world, phone, { body: "Held" }), "HELD");
    const { phone: other } = newPerson();
    await whatsApp().text({ from: other, body: "And me?" });
    expect(await whatsApp().waitForSent(1, { to: other })).toHaveLength(1);
  });

  it("is not freed by another customer", async () => {
    const phone = await silentPerson();
    const id = await queueMessage(world, phone, { body: "Held" });
    await becomes(id, "HELD");
    const { phone: other } = newPerson();
    await whatsApp().text({ from: other, body: "And me?" });
    await whatsApp().waitForSent(1, { to: other });
    expect((await rowsWith(world, phone)).at(-1)).toMatchObject({ id, status: "HELD" });
  });
});

describe("a tenant's re-engagement template", () => {
  const TEMPLATE = {
    name: "still_interested",
    language: "en",
    components: [{ type: "body", parameters: [{ type: "text", text: "the plumber" }] }],
  };

  it("leaves once in place of the first reply; the next ones wait for the customer", async () => {
    await setTemplate(TEMPLATE);
    const phone = await silentPerson();
    const first = await queueMessage(world, phone, { body: "We can come on Monday" });
    await becomes(first, "SENT");
    const second = await queueMessage(world, phone, { body: "Or on Tuesday" });
    await becomes(second, "HELD");
    const sent = whatsApp().sent({ to: phone, type: "template" });
    expect(sent).toMatchObject([
      {
        messageId: first,
        request: {
          template: { ...TEMPLATE, language: { code: "en" } },
        },
      },
    ]);
    const [row] = (await rowsWith(world, phone)).filter(({ id }) => id === first);
    expect(row).toMatchObject({ type: "template" });
    expect(row?.body).toContain("We can come on Monday");

    await whatsApp().text({ from: phone, body: "Yes please" });
    await becomes(second, "SENT");
    expect(whatsApp().sent({ to: phone, type: "template" })).toHaveLength(1);
  });

  it("that the provider refuses does not cost the reply: it is held as it was", async () => {
    await setTemplate({ name: "gone", language: "en" });
    const phone = await silentPerson();
    world.simulator.setFaults({ metaRefusals: { [phone]: 132001 } });
    const id = await queueMessage(world, phone, { body: "We can come on Monday" });
    const held = await becomes(id, "HELD");
    expect(held).toMatchObject({
      type: "text",
      body: "We can come on Monday",
      errorCode: "132001",
    });
    world.simulator.setFaults({ metaRefusals: {} });
    await whatsApp().text({ from: phone, body: "Hello?" });
    await becomes(id, "SENT");
    expect(bodiesTo(phone)).toContain("We can come on Monday");
  });

  it("leaves once also when several replies wait at the same moment", async () => {
    await setTemplate(TEMPLATE);
    const phone = await silentPerson();
    const ids = await Promise.all(
      ["One", "Two", "Three"].map((body) => queueMessage(world, phone, { body })),
    );
    await eventually(
      () =>
        world.query<{ status: string }>(`SELECT "status" FROM "Message" WHERE "id" = ANY($1)`, [
          ids,
        ]),
      (rows) =>
        rows
          .map(({ status }) => status)
          .toSorted()
          .join() === "HELD,HELD,SENT",
    );
    expect(whatsApp().sent({ to: phone, type: "template" })).toHaveLength(1);
  });

  it("may leave again after the next silence", async () => {
    await setTemplate(TEMPLATE);
    const phone = await silentPerson();
    await becomes(await queueMessage(world, phone, { body: "One" }), "SENT");
    await whatsApp().text({ from: phone, body: "Yes?" });
    await whatsApp().waitForSent(3, { to: phone });
    await setLastInbound(phone, 25 * HOUR_MS);
    await world.query(
      `UPDATE "Message" SET "createdAt" = "createdAt" - interval '26 hours' WHERE $1 IN ("sender", "recipient")`,
      [phone],
    );
    await becomes(await queueMessage(world, phone, { body: "Two" }), "SENT");
    expect(whatsApp().sent({ to: phone, type: "template" })).toHaveLength(2);
  });

  it.each<[string, object]>([
    ["has no name", { language: "en" }],
    ["has a name that cannot be", { name: "Still interested?", language: "en" }],
    ["has no language", { name: "still_interested" }],
  ])("that %s costs nothing: the reply is held", async (_name, template) => {
    await setTemplate(template);
    const phone = await silentPerson();
    const id = await queueMessage(world, phone, { body: "Hello?" });
    expect(await becomes(id, "HELD")).toMatchObject({ type: "text", body: "Hello?" });
  });
});

describe("outside the window", () => {
  it("a template and a mark of reading go", async () => {
    const phone = await silentPerson();
    const template = { name: "still_interested", language: { code: "en" } };
    const ids = [
      await queueMessage(world, phone, { type: "template", payload: { template } }),
      await queueMessage(world, phone, {
        type: "mark_read",
        payload: { status: "read", message_id: "wamid.x" },
      }),
    ];
    for (const id of ids) expect(await becomes(id, "SENT")).toMatchObject({ attempts: 1 });
  });

  it("a customer who is known, but never wrote on this channel, gets templates only", async () => {
    const phone = await silentPerson();
    await world.query(
      `UPDATE "Conversation" v SET "lastInboundAt" = NULL FROM "Customer" c WHERE c."id" = v."customerId" AND c."phone" = $1`,
      [phone],
    );
    const id = await queueMessage(world, phone, { body: "Hello?" });
    expect(await becomes(id, "HELD")).toMatchObject({ type: "text", body: "Hello?" });
  });

  it("the provider's own clock decides: what it refuses as too late fails with its code", async () => {
    const phone = await silentPerson(1);
    const id = await queueMessage(world, phone, { body: "Too late over there" });
    expect(await becomes(id, "FAILED")).toMatchObject({ errorCode: "131047" });
  });
});
