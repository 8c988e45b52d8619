import { describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import {
  admin,
  api,
  pictureFrom,
  refusal,
  replyWith,
  superAdmin,
  useAdminWorld,
} from "./admin-world.ts";
import { newCustomer } from "./operator-world.ts";

useAdminWorld();

let numbers = 0;
/** A number that the provider of its channel calls by an id. */
function aNumber() {
  numbers += 1;
  return {
    channel: "whatsapp",
    provider: "whatsapp-cloud",
    phoneNumberId: `20775${numbers}`,
    phoneNumber: `+4479114${String(10_000 + numbers)}`,
  };
}

describe("a number with an id of the provider's", () => {
  const give = (id: string, number: object) => superAdmin("POST", `/tenants/${id}/numbers`, number);

  it("is given to a tenant, is shown with it, and is nobody else's", async () => {
    const [one, other] = [await admin.addTenant(), await admin.addTenant()];
    const number = aNumber();
    expect(await give(one.id, number)).toMatchObject({ status: 201, body: number });
    expect((await one.admin("GET", `/tenants/${one.id}`)).body["numbers"]).toEqual(
      expect.arrayContaining([number, { channel: "sms", phoneNumber: one.number }]),
    );
    expect((await give(other.id, number)).status).toBe(409);
    expect((await other.admin("GET", `/tenants/${other.id}`)).body["numbers"]).toEqual([
      { channel: "sms", phoneNumber: other.number },
    ]);
    expect(await admin.auditOf(number.phoneNumberId)).toMatchObject([
      { clientId: one.id, action: "number.attach", changes: { channel: "whatsapp" } },
    ]);
    expect((await give(newId(), aNumber())).status).toBe(404);
  });

  it("that the tenant has already is corrected", async () => {
    const { id, admin: own } = await admin.addTenant();
    const number = aNumber();
    await give(id, { ...number, phoneNumber: "+447911499999" });
    expect((await give(id, number)).status).toBe(201);
    const numbersNow = (await own("GET", `/tenants/${id}`)).body["numbers"];
    expect(numbersNow).toContainEqual(number);
    expect(numbersNow).toHaveLength(2);
  });

  it("is taken away by its id, and only from the tenant who has it", async () => {
    const [one, other] = [await admin.addTenant(), await admin.addTenant()];
    const number = aNumber();
    await give(one.id, number);
    const take = (id: string) =>
      superAdmin("DELETE", `/tenants/${id}/numbers/${number.phoneNumberId}`);
    expect((await take(other.id)).status).toBe(404);
    expect((await take(one.id)).status).toBe(204);
    expect((await take(one.id)).status).toBe(404);
    expect((await give(other.id, number)).status).toBe(201);
    expect((await admin.auditOf(number.phoneNumberId)).map(({ action }) => action)).toEqual([
      "number.attach",
      "number.release",
      "number.attach",
    ]);
  });

  it("does not keep its tenant from being deleted, and can be given to another", async () => {
    const [one, other] = [await admin.addTenant(), await admin.addTenant()];
    const number = aNumber();
    await give(one.id, number);
    expect((await superAdmin("DELETE", `/tenants/${one.id}`)).status).toBe(204);
    expect((await admin.auditOf(one.id)).at(-1)?.changes["released"]).toEqual([
      one.number,
      number.phoneNumberId,
    ]);
    expect((await give(other.id, number)).status).toBe(201);
  });

  const { provider, phoneNumberId, ...rest } = aNumber();
  it.each<[object, string]>([
    [{ ...rest, provider, phoneNumberId, channel: "pigeon" }, "channel"],
    [{ ...rest, phoneNumberId, provider: "twilio" }, "provider"],
    [{ ...rest, phoneNumberId }, "provider"],
    [{ ...rest, provider }, "phoneNumberId"],
    [{ ...rest, provider, phoneNumberId: "a/b" }, "phoneNumberId"],
    [{ ...rest, provider, phoneNumberId, phoneNumber: "07911 1" }, "phoneNumber"],
    [{ channel: rest.channel, provider, phoneNumberId }, "phoneNumber"],
    [{ channel: "sms", phoneNumberId }, "phoneNumberId"],
    [{ channel: "sms", provider: "twilio" }, "provider"],
  ])("that is not complete is refused with the field's name: %j", async (number, field) => {
    const answer = await give(demoTenant.id, number);
    expect(refusal(answer)).toEqual({ status: 400, fields: [field] });
  });
});

describe("what a person sends on a channel that carries more than words", () => {
  const send = (conversationId: string, message: object, clientMessageId: string = newId()) =>
    api("POST", `/conversations/${conversationId}/messages`, { ...message, clientMessageId });
  const buttons = (title: string) => ({
    type: "interactive",
    interactive: {
      type: "button",
      body: { text: "Shall I come?" },
      action: { buttons: [{ type: "reply", reply: { id: "yes", title } }] },
    },
  });

  it.each<[{ type: string; [field: string]: unknown }, string]>([
    [{ type: "image", image: { link: "https://example.com/a.jpg", caption: "Here" } }, "Here"],
    [
      { type: "template", template: { name: "still_there", language: { code: "en" } } },
      "still_there",
    ],
    [buttons("Yes"), "Shall I come?"],
    [{ type: "text", text: { body: "This one" }, context: { message_id: "wamid.1" } }, "This one"],
  ])("is queued whole, and is shown in words: %j", async (message, words) => {
    const customer = newCustomer();
    const { conversationId, phoneNumberId } = await pictureFrom(admin.world, demoTenant.id, {
      phone: customer,
    });
    const { status, body } = await send(conversationId, message);
    expect({ status, state: body.status }).toEqual({ status: 202, state: "QUEUED" });
    const { body: list } = await api("GET", `/conversations/${conversationId}/messages`);
    const { type, ...payload } = message;
    expect(list.items[0]).toMatchObject({
      id: body.id,
      direction: "OUTBOUND",
      kind: "reply",
      type,
      payload,
      sender: phoneNumberId,
      recipient: customer,
      body: expect.stringContaining(words),
      files: [],
    });
  });

  it("goes to the id by which the customer is known, when there is no number", async () => {
    const userId = "GB.13491208655302741918";
    const { conversationId, customerId } = await pictureFrom(admin.world, demoTenant.id, {
      userId,
    });
    expect((await send(conversationId, replyWith("Hello"))).status).toBe(202);
    const { body } = await api("GET", `/conversations/${conversationId}/messages?limit=1`);
    expect(body.items).toMatchObject([{ type: "text", payload: null, recipient: userId }]);
    const list = await api("GET", `/tenants/${demoTenant.id}/conversations?limit=1`);
    expect(list.body.items).toMatchObject([
      {
        id: conversationId,
        channel: "whatsapp",
        customer: { id: customerId, phone: null, userId, optedOut: false },
      },
    ]);
  });

  it.each<[object, string]>([
    [buttons("More than twenty characters"), "interactive.action.buttons.0.reply.title"],
    [{ type: "image", image: { id: "1", caption: "x".repeat(1025) } }, "image.caption"],
    [{ type: "fax", fax: {} }, "type"],
    [{ type: "image" }, "image"],
    [{ ...buttons("Yes"), to: "+447700900000" }, "to"],
    [{ type: "text", text: { body: "a \u0000 b" } }, "text.body"],
  ])("beyond a limit is refused with the field's path: %j", async (message, field) => {
    const { conversationId } = await pictureFrom(admin.world, demoTenant.id, {
      phone: newCustomer(),
    });
    const answer = await send(conversationId, message);
    expect(refusal(answer)).toEqual({ status: 400, fields: [field] });
    const { body: list } = await api("GET", `/conversations/${conversationId}/messages`);
    expect(list.items).toHaveLength(1);
  });

  it("is sent once, whatever is asked for under the same id later", async () => {
    const { conversationId } = await pictureFrom(admin.world, demoTenant.id, {
      phone: newCustomer(),
    });
    const first = await send(conversationId, buttons("Yes"), "once");
    const again = await send(conversationId, replyWith("Other words"), "once");
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body.id).toBe(first.body.id);
  });

  it("is no reply when it only tells that theirs was read", async () => {
    const { conversationId, customerId } = await pictureFrom(admin.world, demoTenant.id, {
      phone: newCustomer(),
    });
    const jobId = newId();
    await admin.world.query(
      `INSERT INTO "Job" ("id", "clientId", "conversationId", "number", "summary", "status", "urgency")
       VALUES ($1, $2, $3, 9001, 'A flood', 'URGENT', 'emergency')`,
      [jobId, demoTenant.id, conversationId],
    );
    await admin.world.query(`UPDATE "Customer" SET "optedOutAt" = now() WHERE "id" = $1`, [
      customerId,
    ]);
    const read = { type: "mark_read", mark_read: { message_id: "wamid.1", typing: true } };
    expect((await send(conversationId, read)).status).toBe(202);
    expect((await send(conversationId, replyWith("Hello"))).status).toBe(409);
    const [row] = await admin.world.query(
      `SELECT v."humanUntil", v."revision", j."answeredAt" FROM "Conversation" v JOIN "Job" j ON j."conversationId" = v."id"
       WHERE v."id" = $1`,
      [conversationId],
    );
    expect(row).toEqual({ humanUntil: null, revision: 1, answeredAt: null });

    await admin.world.query(`UPDATE "Customer" SET "optedOutAt" = NULL WHERE "id" = $1`, [
      customerId,
    ]);
    expect((await send(conversationId, replyWith("Hello"))).status).toBe(202);
    const [answered] = await admin.world.query(`SELECT "answeredAt" FROM "Job" WHERE "id" = $1`, [
      jobId,
    ]);
    expect(answered).toEqual({ answeredAt: expect.any(Date) });
  });
});

describe("a tenant's re-engagement template", () => {
  const template = {
    name: "still_there",
    language: "en_GB",
    components: [{ type: "body", parameters: [{ type: "text", text: "Mrs Oak" }] }],
  };

  it("is kept, shown, and taken back; the audit does not tell what fills it", async () => {
    const { id, admin: own } = await admin.addTenant();
    const path = `/tenants/${id}`;
    expect((await own("GET", path)).body["reengagementTemplate"]).toBeNull();
    const set = await own("PATCH", path, { reengagementTemplate: template });
    expect(set).toMatchObject({ status: 200, body: { reengagementTemplate: template } });
    const other = await own("PATCH", path, { aiDisabled: true });
    expect(other.body["reengagementTemplate"]).toEqual(template);
    const none = await own("PATCH", path, { reengagementTemplate: null });
    expect(none.body["reengagementTemplate"]).toBeNull();
    expect(JSON.stringify(await admin.auditOf(id))).not.toContain("Oak");

    const made = await superAdmin("POST", "/tenants", {
      name: "With a template",
      operatorPhone: "+447700900777",
      reengagementTemplate: template,
    });
    expect(made).toMatchObject({ status: 201, body: { reengagementTemplate: template } });
  });

  it.each<[object, string]>([
    [{ ...template, name: "Not A Name" }, "reengagementTemplate.name"],
    [{ ...template, language: "English" }, "reengagementTemplate.language"],
    [{ name: "still_there" }, "reengagementTemplate.language"],
    [{ ...template, components: [{}] }, "reengagementTemplate.components.0.type"],
    [{ ...template, colour: "red" }, "reengagementTemplate.colour"],
  ])("that no channel would send is refused with the field's name: %j", async (wrong, field) => {
    const answer = await api("PATCH", `/tenants/${demoTenant.id}`, {
      reengagementTemplate: wrong,
    });
    expect(refusal(answer)).toEqual({ status: 400, fields: [field] });
  });

  it("lets those go that were held for want of one, which nobody can send again by hand", async () => {
    const tenant = await admin.addTenant();
    const { conversationId, phoneNumberId } = await pictureFrom(admin.world, tenant.id, {
      phone: newCustomer(),
    });
    await admin.world.query(
      `UPDATE "Conversation" SET "lastInboundAt" = now() - interval '2 days' WHERE "id" = $1`,
      [conversationId],
    );
    const id = newId();
    await admin.world.query(
      `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "sender", "recipient", "body", "status")
       VALUES ($1, $2, $3, 'OUTBOUND', 'whatsapp', $4, '+447700900778', 'Too late', 'HELD')`,
      [id, tenant.id, conversationId, phoneNumberId],
    );
    const held = await superAdmin("GET", "/admin/outbox?state=HELD");
    expect(held.body.items).toMatchObject([{ id, status: "HELD" }]);
    const open = await superAdmin("GET", "/admin/outbox");
    expect(open.body.items.map((item) => item.id)).toContain(id);
    expect((await superAdmin("POST", `/admin/outbox/${id}/replay`)).status).toBe(409);
    await tenant.admin("PATCH", `/tenants/${tenant.id}`, { reengagementTemplate: template });
    expect((await superAdmin("GET", "/admin/outbox?state=HELD")).body.items).toEqual([]);
  });
});
