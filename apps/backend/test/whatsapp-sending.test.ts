import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { JWT_SECRET, tokenFor } from "./admin-world.ts";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import { ACCEPTED, REFUSED } from "./whatsapp-contents.ts";
import { createWhatsAppWorld, newPerson, startWhatsAppGateway } from "./whatsapp-world.ts";

let world: World;
let gateway: RunningGateway;
let token: string;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world, { JWT_SECRET });
  token = await tokenFor({ sub: "owner", role: "admin", tenantId: demoTenant.id });
});
afterAll(() => world.close());

const whatsApp = () => world.simulator.whatsApp;

/** A person who has written, and their conversation. */
async function aConversation(): Promise<{ phone: string; id: string }> {
  const { phone } = newPerson();
  await whatsApp().text({ from: phone, body: "My tap drips" });
  const [row] = await world.query<{ id: string }>(
    `SELECT v."id" FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $1`,
    [phone],
  );
  return { phone, id: row?.id ?? "" };
}

interface ApiAnswer {
  id: string;
  error?: { details?: { field: string; message: string }[] };
}

async function send(conversationId: string, message: object) {
  const response = await fetch(`${gateway.url}/api/v1/conversations/${conversationId}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ clientMessageId: newId(), ...message }),
  });
  return { status: response.status, body: (await response.json()) as ApiAnswer };
}

async function statusOf(id: string): Promise<string | undefined> {
  const [row] = await world.query<{ status: string }>(
    `SELECT "status" FROM "Message" WHERE "id" = $1`,
    [id],
  );
  return row?.status;
}

describe("a message of every type, as large as it may be,", () => {
  it.each(ACCEPTED)(
    "is taken by the provider as it was given, and read: %s",
    async (type, content) => {
      world.simulator.setFaults({ metaReceipts: { final: "read" } });
      const { phone, id } = await aConversation();
      const { status, body } = await send(id, { type, ...content });
      expect({ status, error: body.error }).toEqual({ status: 202, error: undefined });
      const [sent] = await whatsApp().waitForSent(1, { messageId: body.id });
      expect(sent).toMatchObject({ to: phone, type, request: { type, ...content } });
      // Of a reaction the provider only says that it was sent.
      const last = type === "reaction" ? "SENT" : "READ";
      expect(
        await eventually(
          () => statusOf(body.id),
          (now) => now === last,
        ),
      ).toBe(last);
    },
  );

  it("marks a message as read", async () => {
    const { id } = await aConversation();
    const before = whatsApp().reads().length;
    const { body } = await send(id, {
      type: "mark_read",
      mark_read: { message_id: "wamid.x", typing: true },
    });
    await eventually(
      () => statusOf(body.id),
      (now) => now === "SENT",
    );
    expect(whatsApp().reads().slice(before)).toMatchObject([{ wamid: "wamid.x", typing: true }]);
  });
});

describe("what is beyond a documented limit", () => {
  let conversation: { phone: string; id: string };
  beforeAll(async () => {
    conversation = await aConversation();
  });

  it.each(REFUSED)("is refused before it is queued: %s, %s", async (type, field, content) => {
    const { status, body } = await send(conversation.id, { type, ...content });
    expect(status).toBe(400);
    expect(body.error?.details?.map((detail) => detail.field)).toContain(field);
    const [queued] = await world.query<{ count: number }>(
      `SELECT count(*)::int AS "count" FROM "Message" WHERE "conversationId" = $1`,
      [conversation.id],
    );
    expect(queued?.count).toBe(2);
  });
});
