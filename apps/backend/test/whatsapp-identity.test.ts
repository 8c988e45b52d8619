import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import {
  createWhatsAppWorld,
  newPerson,
  queueMessage,
  rowsWith,
  startWhatsAppGateway,
  WEBHOOK_PATH,
} from "./whatsapp-world.ts";

interface Ids {
  phone?: string;
  userId?: string;
}

let world: World;
let gateway: RunningGateway;
let other: RunningGateway;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  other = await startWhatsAppGateway(world);
  gateway = await startWhatsAppGateway(world);
});
afterAll(() => world.close());

const whatsApp = () => world.simulator.whatsApp;

async function text({ phone, userId }: Ids, body: string, to = gateway): Promise<void> {
  const { final } = await whatsApp().text({
    ...(phone !== undefined && { from: phone }),
    ...(userId !== undefined && { userId }),
    body,
    webhookUrl: to.url + WEBHOOK_PATH,
  });
  expect(final?.status).toBe(200);
}

interface CustomerRow extends Required<{ [Key in keyof Ids]: string | null }> {
  id: string;
  optedOut: boolean;
  conversations: string[];
}

/** The customers who have one of these ids, the oldest first, with their conversations. */
function customers(...ids: string[]): Promise<CustomerRow[]> {
  return world.query<CustomerRow>(
    `SELECT c."id", c."phone", c."userId", c."optedOutAt" IS NOT NULL AS "optedOut",
       ARRAY(SELECT v."id"::text FROM "Conversation" v WHERE v."customerId" = c."id") AS "conversations"
     FROM "Customer" c WHERE c."phone" = ANY($1) OR c."userId" = ANY($1) ORDER BY c."createdAt"`,
    [ids],
  );
}

async function said(conversationId: string): Promise<string[]> {
  const rows = await world.query<{ body: string }>(
    `SELECT "body" FROM "Message" WHERE "conversationId" = $1 AND "direction" = 'INBOUND' ORDER BY "position"`,
    [conversationId],
  );
  return rows.map(({ body }) => body);
}

function openJobs(conversationId: string) {
  return world.query<{ summary: string; status: string; number: number }>(
    `SELECT "summary", "status", "number" FROM "Job"
     WHERE "conversationId" = $1 AND "status" NOT IN ('DECLINED', 'DONE') ORDER BY "number"`,
    [conversationId],
  );
}

/** The one customer who has one of the ids. */
async function onlyCustomer({ phone = "", userId = "" }: Ids): Promise<CustomerRow> {
  const [one, ...more] = await customers(phone, userId);
  expect(more).toEqual([]);
  if (one === undefined) throw new Error("nobody has one of these ids");
  return one;
}

describe("a customer known by phone, then by user id, then by both", () => {
  it("is one customer with one conversation that holds all they said, in order", async () => {
    const person = newPerson();
    await text({ phone: person.phone }, "My name is Ana");
    await text({ userId: person.userId }, "Hello?");
    expect(await customers(person.phone, person.userId)).toHaveLength(2);
    await text(person, "It is me");
    const { phone, userId, conversations } = await onlyCustomer(person);
    expect({ phone, userId }).toEqual(person);
    expect(conversations).toHaveLength(1);
    expect(await said(conversations[0] ?? "")).toEqual(["My name is Ana", "Hello?", "It is me"]);
  });

  it("has one open job that knows what both jobs knew, under the number given first", async () => {
    const person = newPerson();
    await text({ phone: person.phone }, "I need a new lock");
    await text({ userId: person.userId }, "The tap is leaking");
    const [first] = await openJobs((await customers(person.phone))[0]?.conversations[0] ?? "");
    await text(person, "Thank you");
    const { conversations } = await onlyCustomer(person);
    const jobs = await openJobs(conversations[0] ?? "");
    expect(jobs).toHaveLength(1);
    expect(jobs[0]?.number).toBe(first?.number);
    expect(jobs[0]?.summary).toContain("lock");
    expect(jobs[0]?.summary).toContain("tap");
  });

  it("keeps a job that the operator has accepted accepted", async () => {
    const person = newPerson();
    await text({ phone: person.phone }, "I need a new lock");
    const [known] = await customers(person.phone);
    await world.query(`UPDATE "Job" SET "status" = 'ACCEPTED' WHERE "conversationId" = $1`, [
      known?.conversations[0],
    ]);
    await text({ userId: person.userId }, "The tap is leaking");
    await text(person, "Thank you");
    const { conversations } = await onlyCustomer(person);
    expect(await openJobs(conversations[0] ?? "")).toMatchObject([{ status: "ACCEPTED" }]);
  });

  it("stays with the operator who had taken over", async () => {
    const person = newPerson();
    await text({ phone: person.phone }, "I need a new lock");
    const [known] = await customers(person.phone);
    await world.query(
      `UPDATE "Conversation" SET "humanUntil" = now() + interval '1 hour' WHERE "id" = $1`,
      [known?.conversations[0]],
    );
    await text({ userId: person.userId }, "Hello?");
    const before = (await rowsWith(world, person.userId)).length;
    await text(person, "Are you still coming?");
    const rows = await rowsWith(world, person.phone, person.userId);
    expect(rows.at(-1)).toMatchObject({ direction: "INBOUND", body: "Are you still coming?" });
    expect(before).toBe(2);
  });

  it("is still opted out, and told nothing more", async () => {
    const person = newPerson();
    await text({ phone: person.phone }, "STOP");
    await text({ userId: person.userId }, "Hello?");
    await whatsApp().waitForSent(1, { to: person.userId });
    await text(person, "It is me");
    await text(person, "Do you hear me?");
    expect(await onlyCustomer(person)).toMatchObject({ optedOut: true });
    const answers = (await rowsWith(world, person.phone, person.userId)).slice(4);
    expect(answers.filter(({ direction }) => direction === "OUTBOUND")).toEqual([]);
  });

  it("gets what waited in either conversation", async () => {
    const person = newPerson();
    for (const id of [{ phone: person.phone }, { userId: person.userId }]) await text(id, "Hello?");
    await whatsApp().waitForSent(1, { to: person.phone });
    await whatsApp().waitForSent(1, { to: person.userId });
    await world.query(
      `UPDATE "Conversation" SET "lastInboundAt" = now() - interval '2 days' WHERE "id" = ANY($1)`,
      [(await customers(person.phone, person.userId)).flatMap((row) => row.conversations)],
    );
    const held = await queueMessage(world, person.phone, { body: "Held for the phone" });
    await eventually(
      () =>
        world.query<{ status: string }>(`SELECT "status" FROM "Message" WHERE "id" = $1`, [held]),
      ([row]) => row?.status === "HELD",
    );
    await text(person, "It is me");
    const sent = await whatsApp().waitForSent(1, { messageId: held });
    expect(sent).toMatchObject([{ body: "Held for the phone" }]);
  });

  it("is made one once, though two gateways find out at the same moment", async () => {
    for (let round = 0; round < 5; round += 1) {
      const person = newPerson();
      await text({ phone: person.phone }, "I need a new lock");
      await text({ userId: person.userId }, "The tap is leaking");
      await Promise.all([text(person, "It is me"), text(person, "Me again", other)]);
      const { conversations } = await onlyCustomer(person);
      expect(conversations).toHaveLength(1);
      const words = await said(conversations[0] ?? "");
      expect(words.slice(0, 2)).toEqual(["I need a new lock", "The tap is leaking"]);
      expect(words.slice(2).toSorted()).toEqual(["It is me", "Me again"]);
      expect(await openJobs(conversations[0] ?? "")).toHaveLength(1);
    }
  });
});

describe("two people", () => {
  it("who swap a phone number stay two, each with their own conversation", async () => {
    const [ana, ben] = [newPerson(), newPerson()];
    await text(ana, "Ana here");
    await text(ben, "Ben here");
    await text({ userId: ana.userId, phone: ben.phone }, "Ana with the phone of Ben");
    await text({ userId: ben.userId, phone: ana.phone }, "Ben with the phone of Ana");
    const found = await customers(ana.userId, ben.userId, ana.phone, ben.phone);
    expect(found).toMatchObject([
      { userId: ana.userId, phone: ben.phone },
      { userId: ben.userId, phone: ana.phone },
    ]);
    expect(await said(found[0]?.conversations[0] ?? "")).toEqual([
      "Ana here",
      "Ana with the phone of Ben",
    ]);
    expect(await said(found[1]?.conversations[0] ?? "")).toEqual([
      "Ben here",
      "Ben with the phone of Ana",
    ]);
  });

  it("of whom one opts out after the other had their number are not confused", async () => {
    const [ana, ben] = [newPerson(), newPerson()];
    await text(ana, "Ana here");
    await text({ userId: ben.userId, phone: ana.phone }, "Ben with the phone of Ana");
    await text({ userId: ana.userId }, "STOP");
    expect(await onlyCustomer({ userId: ana.userId })).toMatchObject({
      optedOut: true,
      phone: null,
    });
    expect(await onlyCustomer({ userId: ben.userId })).toMatchObject({
      optedOut: false,
      phone: ana.phone,
    });
  });
});

describe("a person who changes", () => {
  const system = (message: object) =>
    whatsApp().send([
      { id: `wamid.change${Math.random()}`, timestamp: "1795000000", type: "system", ...message },
    ]);

  it("their number goes on in the same conversation and is not answered for it", async () => {
    const [{ phone }, { phone: next }] = [newPerson(), newPerson()];
    await text({ phone }, "My tap drips");
    const before = await onlyCustomer({ phone });
    const { final } = await system({
      from: phone.slice(1),
      system: {
        type: "user_changed_number",
        body: `User Ana changed from ${phone.slice(1)} to ${next.slice(1)}`,
        wa_id: next.slice(1),
      },
    });
    expect(final?.status).toBe(200);
    expect(await customers(phone)).toEqual([]);
    await text({ phone: next }, "It is me");
    const after = await onlyCustomer({ phone: next });
    expect(after).toMatchObject({ id: before.id, conversations: before.conversations });
    const rows = await rowsWith(world, phone, next);
    expect(rows.map(({ direction, type }) => `${direction} ${type}`)).toEqual([
      "INBOUND text",
      "OUTBOUND text",
      "INBOUND system",
      "INBOUND text",
      "OUTBOUND text",
    ]);
    expect(rows.at(-1)).toMatchObject({ recipient: next });
  });

  it("their user id goes on in the same conversation", async () => {
    const [person, { userId: next }] = [newPerson(), newPerson()];
    await text(person, "My tap drips");
    const before = await onlyCustomer(person);
    await system({
      from: person.phone.slice(1),
      from_user_id: person.userId,
      system: { type: "user_changed_user_id", user_id: next },
    });
    await text({ userId: next }, "It is me");
    expect(await onlyCustomer({ userId: next })).toMatchObject({
      id: before.id,
      conversations: before.conversations,
    });
    expect(await customers(person.userId)).toEqual([]);
  });
});

describe("an answer", () => {
  it("goes to the phone number where one is known, and else to the user id", async () => {
    const [byPhone, byUserId, byBoth] = [newPerson(), newPerson(), newPerson()];
    await text({ phone: byPhone.phone }, "My tap drips");
    await text({ userId: byUserId.userId }, "My tap drips");
    await text(byBoth, "My tap drips");
    const requestTo = async (to: string) => (await whatsApp().waitForSent(1, { to }))[0]?.request;
    expect(await requestTo(byPhone.phone)).toMatchObject({ to: byPhone.phone });
    expect(await requestTo(byPhone.phone)).not.toHaveProperty("recipient");
    expect(await requestTo(byUserId.userId)).toMatchObject({ recipient: byUserId.userId });
    expect(await requestTo(byUserId.userId)).not.toHaveProperty("to");
    expect(await requestTo(byBoth.phone)).toMatchObject({ to: byBoth.phone });
  });
});
