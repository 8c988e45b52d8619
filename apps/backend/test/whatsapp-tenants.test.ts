import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { eventually } from "./eventually.ts";
import type { World } from "./harness.ts";
import {
  addWhatsAppTenant,
  createWhatsAppWorld,
  newPerson,
  startWhatsAppGateway,
} from "./whatsapp-world.ts";

let world: World;
let theirs: Awaited<ReturnType<typeof addWhatsAppTenant>>;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  theirs = await addWhatsAppTenant(world, "206540352242944");
  await startWhatsAppGateway(world);
});
afterAll(() => world.close());

const whatsApp = () => world.simulator.whatsApp;

/** Everything a tenant's tables hold, to be compared. */
async function everythingOf(tenantId: string): Promise<Record<string, unknown[]>> {
  const tables = ["Customer", "Conversation", "Message", "Job", "ChannelNumber", "MediaFile"];
  const contents = await Promise.all(
    tables.map(async (table) => [
      table,
      await world.query(`SELECT * FROM "${table}" WHERE "clientId" = $1 ORDER BY 1`, [tenantId]),
    ]),
  );
  return Object.fromEntries(contents);
}

/** When nothing of the tenant's is on its way any more. */
async function settled(tenantId: string) {
  await eventually(
    () =>
      world.query(
        `SELECT 1 FROM "Message" WHERE "clientId" = $1 AND "status" IN ('QUEUED', 'SENDING')`,
        [tenantId],
      ),
    (rows) => rows.length === 0,
  );
  return everythingOf(tenantId);
}

describe("one person who writes to two businesses", () => {
  it("is a customer of each, and neither learns of the other", async () => {
    const { phone, userId } = newPerson();
    await whatsApp().text({ from: phone, userId, body: "I need a mezzanine" });
    await whatsApp().waitForSent(1, { to: phone, from: whatsApp().phoneNumberId });
    const before = await settled(demoTenant.id);
    const calls = world.simulator.modelCalls().length;

    const { final } = await whatsApp().text({
      from: phone,
      userId,
      body: "Do you do roofs?",
      to: theirs.phoneNumberId,
    });
    expect(final?.status).toBe(200);
    const [answer] = await whatsApp().waitForSent(1, { to: phone, from: theirs.phoneNumberId });
    expect(answer?.body).toContain("roofs");
    expect(await settled(demoTenant.id)).toEqual(before);

    const { Customer, Conversation, Message, Job } = await settled(theirs.id);
    expect(Customer).toMatchObject([{ phone, userId }]);
    expect(Conversation).toHaveLength(1);
    expect(Message?.map((row) => (row as { body: string }).body)).toEqual([
      "Do you do roofs?",
      answer?.body,
    ]);
    expect(Job).toEqual([]);
    const asked = world.simulator.modelCalls().slice(calls);
    expect(JSON.stringify(asked)).not.toContain("mezzanine");
  });

  it("who says STOP to one still hears from the other", async () => {
    const { phone } = newPerson();
    for (const to of [whatsApp().phoneNumberId, theirs.phoneNumberId])
      await whatsApp().text({ from: phone, body: "Hello", to });
    await whatsApp().waitForSent(2, { to: phone });
    await whatsApp().text({ from: phone, body: "STOP", to: theirs.phoneNumberId });
    await whatsApp().text({ from: phone, body: "And you?" });
    const sent = await whatsApp().waitForSent(2, { to: phone, from: whatsApp().phoneNumberId });
    expect(sent.at(-1)?.body).toContain("And you");
    const rows = await world.query(
      `SELECT "clientId", "optedOutAt" IS NOT NULL AS "optedOut" FROM "Customer" WHERE "phone" = $1 ORDER BY 2`,
      [phone],
    );
    expect(rows).toEqual([
      { clientId: demoTenant.id, optedOut: false },
      { clientId: theirs.id, optedOut: true },
    ]);
  });

  it("whose ids come together at one is not made one customer at the other", async () => {
    const { phone, userId } = newPerson();
    await whatsApp().text({ from: phone, body: "By phone" });
    await whatsApp().text({ userId, body: "By user id" });
    const before = await settled(demoTenant.id);
    await whatsApp().text({ from: phone, userId, body: "By both", to: theirs.phoneNumberId });
    expect(await settled(demoTenant.id)).toEqual(before);
  });
});

it("messages to two businesses in one webhook go to each their own", async () => {
  const [one, other] = [newPerson(), newPerson()];
  const entryOf = (phoneNumberId: string, { phone }: { phone: string }) => ({
    id: "102290129340398",
    changes: [
      {
        field: "messages",
        value: {
          messaging_product: "whatsapp",
          metadata: { phone_number_id: phoneNumberId, display_phone_number: "447000000000" },
          messages: [
            {
              from: phone.slice(1),
              id: `wamid.two${phone}`,
              timestamp: String(Math.floor(Date.now() / 1000)),
              type: "text",
              text: { body: "Hello" },
            },
          ],
        },
      },
    ],
  });
  const { final } = await whatsApp().deliver([
    entryOf(whatsApp().phoneNumberId, one),
    entryOf(theirs.phoneNumberId, other),
  ]);
  expect(final?.status).toBe(200);
  const rows = await world.query(
    `SELECT "clientId", "phone" FROM "Customer" WHERE "phone" = ANY($1) ORDER BY "phone"`,
    [[one.phone, other.phone]],
  );
  expect(rows).toEqual([
    { clientId: demoTenant.id, phone: one.phone },
    { clientId: theirs.id, phone: other.phone },
  ]);
  const [first] = await whatsApp().waitForSent(1, { to: one.phone });
  const [second] = await whatsApp().waitForSent(1, { to: other.phone });
  expect([first?.from, second?.from]).toEqual([whatsApp().phoneNumberId, theirs.phoneNumberId]);
});

it("an operator of one business is a customer of the other", async () => {
  await whatsApp().text({
    from: demoTenant.operatorPhone,
    body: "JOBS",
    to: theirs.phoneNumberId,
  });
  const [answer] = await whatsApp().waitForSent(1, {
    to: demoTenant.operatorPhone,
    from: theirs.phoneNumberId,
  });
  expect(answer?.body).toContain("Thanks, we have it");
});

it("a message from a business number of ours is kept and not answered, or two of them would go on for ever", async () => {
  const { final } = await whatsApp().text({
    from: `+${theirs.displayPhoneNumber}`,
    body: "Thanks, we have it",
  });
  expect(final?.status).toBe(200);
  const kept = await world.query(`SELECT "answered" FROM "UnroutedMessage" WHERE "sender" = $1`, [
    `+${theirs.displayPhoneNumber}`,
  ]);
  expect(kept).toEqual([{ answered: false }]);
  expect(whatsApp().sent({ to: theirs.displayPhoneNumber })).toEqual([]);
});
