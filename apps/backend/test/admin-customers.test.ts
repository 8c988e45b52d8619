import { describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import {
  admin,
  api,
  conversationOf,
  pictureFrom,
  replyWith,
  useAdminWorld,
} from "./admin-world.ts";
import { alertsAbout, command, newCustomer, urgentJob } from "./operator-world.ts";
import { eventually } from "./eventually.ts";
import { messagesWith, settledMessagesWith } from "./rows.ts";

useAdminWorld();

/** Every table, also of the timers, in which a word stands somewhere. */
async function tablesWith(word: string): Promise<string[]> {
  const tables = await admin.world.query<{ name: string }>(
    `SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE relkind = 'r' AND nspname IN ('public', 'pgboss')`,
  );
  const found = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await admin.world.query(
        `SELECT 1 FROM ${name} t WHERE position($1 IN t::text) > 0 LIMIT 1`,
        [word],
      );
      return rows.length > 0 ? [name] : [];
    }),
  );
  return found.flat();
}

let houses = 0;

/** A customer with a conversation, an urgent job, and everything that operators say about it. */
async function knownCustomer() {
  houses += 1;
  const words = { street: `${houses} Oak Street`, name: `Mrs Oakley the ${houses}th` };
  const {
    customer,
    id: jobId,
    number,
  } = await urgentJob(admin.world, admin.gateway, newCustomer());
  await admin.gateway.text({
    from: customer,
    body: `I live at ${words.street}`,
    sid: `SM${jobId}`,
  });
  await command(admin.world, admin.gateway, `REPLY ${number} ${words.name}, I am coming`);
  await command(admin.world, admin.gateway, "JOBS");
  const { id, customerId } = await conversationOf(admin.world, customer);
  await api("POST", `/conversations/${id}/messages`, replyWith(`${words.name}: almost there`));
  await settledMessagesWith(admin.world, customer);
  await settledMessagesWith(admin.world, demoTenant.operatorPhone);
  const path = `/tenants/${demoTenant.id}/customers/${customerId}`;
  return { customer, jobId, number, customerId, conversationId: id, path, words };
}

describe("a customer's data", () => {
  it("is exported with all that was said with them and about them, and of nobody else", async () => {
    const { customer, conversationId, jobId, customerId, path, words } = await knownCustomer();
    const other = newCustomer();
    await admin.gateway.text({ from: other, body: "Something else" });
    const { status, body } = await api("GET", `${path}/export`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      customer: { id: customerId, phone: customer },
      conversations: [{ id: conversationId }],
      jobs: [{ id: jobId }],
    });
    const said = JSON.stringify(body["messages"]);
    for (const part of [words.street, `${words.name}, I am`, "almost there", "URGENT job"])
      expect(said).toContain(part);
    expect(said).not.toContain("Something else");
    const rows = [body["conversations"], body["jobs"], body["messages"]].flat() as object[];
    const columns = new Set(rows.flatMap((row) => Object.keys(row)));
    for (const internal of ["revision", "position", "quotaTerms", "attempts", "leasedUntil"])
      expect(columns).not.toContain(internal);
    expect(await admin.auditOf(customerId)).toMatchObject([{ action: "customer.export" }]);
  });

  it("is erased: no table knows the number, the words, or the job any more", async () => {
    const { customer, jobId, conversationId, customerId, path, words } = await knownCustomer();
    expect(await tablesWith(customer)).toEqual(
      expect.arrayContaining(['public."Customer"', 'public."Message"']),
    );
    const { status, requestId } = await api("DELETE", path);
    expect(status).toBe(204);
    for (const word of [customer, customer.slice(1), words.street, words.name])
      expect({ word, tables: await tablesWith(word) }).toEqual({ word, tables: [] });
    for (const [table, id] of [
      ["Job", jobId],
      ["Conversation", conversationId],
      ["Customer", customerId],
    ])
      expect(await admin.world.query(`SELECT 1 FROM "${table}" WHERE "id" = $1`, [id])).toEqual([]);
    expect(await admin.auditOf(customerId)).toMatchObject([
      { action: "customer.erase", changes: {}, requestId },
    ]);
    expect((await api("DELETE", path)).status).toBe(404);
  });

  it("does not come back when the provider repeats a text of theirs", async () => {
    const { customer, jobId, path } = await knownCustomer();
    await api("DELETE", path);
    const repeated = { from: customer, body: "I live here", sid: `SM${jobId}` };
    expect((await admin.gateway.text(repeated)).status).toBe(200);
    expect(await tablesWith(customer)).toEqual([]);
  });

  it("goes without touching what others said, and leaves room for a new beginning", async () => {
    const { customer, path } = await knownCustomer();
    const other = newCustomer();
    await admin.gateway.text({ from: other, body: "My boiler is cold" });
    const before = (await settledMessagesWith(admin.world, other)).map(({ id }) => id);
    await api("DELETE", path);
    expect((await messagesWith(admin.world, other)).map(({ id }) => id)).toEqual(before);
    expect((await admin.gateway.text({ from: customer, body: "A new job" })).status).toBe(200);
    expect(await messagesWith(admin.world, customer)).toHaveLength(2);
  });

  it("takes the founder's alert about its urgent job along", async () => {
    const { customer, id: jobId } = await urgentJob(admin.world, admin.gateway, newCustomer());
    await api("PATCH", `/jobs/${jobId}`, { status: "DECLINED" });
    await eventually(
      () => alertsAbout(admin.world, jobId),
      (rows) => rows.length > 0,
    );
    const { customerId } = await conversationOf(admin.world, customer);
    await api("DELETE", `/tenants/${demoTenant.id}/customers/${customerId}`);
    expect(await alertsAbout(admin.world, jobId)).toMatchObject([{ state: "RESOLVED" }]);
  });
});

describe("the data of a customer without a number", () => {
  const userId = (name: string) => `GB.1349120865530274191${name}`;
  const pathOf = (customerId: string) => `/tenants/${demoTenant.id}/customers/${customerId}`;

  it("is exported with their id and what is known of their files, not the files", async () => {
    const ids = await pictureFrom(admin.world, demoTenant.id, { userId: userId("1") });
    const { status, body } = await api("GET", `${pathOf(ids.customerId)}/export`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      customer: { id: ids.customerId, phone: null, userId: userId("1"), marketingOptedOutAt: null },
      messages: [{ id: ids.messageId, type: "image" }],
    });
    expect(body["files"]).toEqual([
      {
        id: ids.fileId,
        messageId: ids.messageId,
        contentType: "image/jpeg",
        state: "FETCHED",
        size: "a picture".length,
        createdAt: expect.any(String),
      },
    ]);
  });

  it("is erased with the files and all that a picture said; the provider's id stays for 8 days", async () => {
    const ids = await pictureFrom(admin.world, demoTenant.id, { userId: userId("2") });
    const old = await admin.world.query<{ id: string }>(
      `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "sender", "recipient", "body", "status",
         "providerMessageId", "createdAt")
       SELECT gen_random_uuid(), $1, $2, 'INBOUND', 'whatsapp', $3, '1', 'x', 'RECEIVED', $4 || days, now() - days * interval '1 day'
       FROM unnest(ARRAY[7.5, 8.5]) days RETURNING "id"`,
      [demoTenant.id, ids.conversationId, userId("2"), ids.providerMessageId],
    );
    expect(old).toHaveLength(2);
    // What the tenant's own people were told of them, outside their conversation.
    await admin.world.query(
      `INSERT INTO "Message" ("id", "clientId", "direction", "channel", "sender", "recipient", "body", "status")
       VALUES (gen_random_uuid(), $1, 'OUTBOUND', 'whatsapp', '1', $2, 'A word to them', 'SENT')`,
      [demoTenant.id, userId("2")],
    );
    expect((await api("DELETE", pathOf(ids.customerId))).status).toBe(204);
    for (const word of [userId("2"), ids.caption, "A word to them", ids.fileId])
      expect({ word, tables: await tablesWith(word) }).toEqual({ word, tables: [] });
    const kept = await admin.world.query(
      `SELECT "providerMessageId" AS "id", "kind", "type", "payload" FROM "Message" WHERE starts_with("providerMessageId", $1) ORDER BY 1`,
      [ids.providerMessageId],
    );
    const empty = { kind: "erased", type: "text", payload: null };
    expect(kept).toEqual([
      { id: ids.providerMessageId, ...empty },
      { id: `${ids.providerMessageId}7.5`, ...empty },
    ]);
  });

  it("is found under an address of before as well, unless somebody else has it by now", async () => {
    const [before, theirs] = [newCustomer(), newCustomer()];
    const ids = await pictureFrom(admin.world, demoTenant.id, { userId: userId("3") });
    await admin.world.query(
      `INSERT INTO "Customer" ("id", "clientId", "phone") VALUES (gen_random_uuid(), $1, $2)`,
      [demoTenant.id, theirs],
    );
    await admin.world.query(
      `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "sender", "recipient", "body", "status")
       SELECT gen_random_uuid(), $1, $2, 'INBOUND', 'whatsapp', phone, '1', 'I have a new number soon', 'RECEIVED'
       FROM unnest(ARRAY[$3, $4]) phone`,
      [demoTenant.id, ids.conversationId, before, theirs],
    );
    await admin.world.query(
      `INSERT INTO "Message" ("id", "clientId", "direction", "channel", "kind", "sender", "recipient", "body", "status")
       SELECT gen_random_uuid(), $1, 'OUTBOUND', 'sms', 'operator_reply', $2, $3, 'Job of ' || phone, 'SENT'
       FROM unnest(ARRAY[$4, $5]) phone`,
      [demoTenant.id, demoTenant.phoneNumber, demoTenant.operatorPhone, before, theirs],
    );
    await api("DELETE", pathOf(ids.customerId));
    expect(await tablesWith(before)).toEqual([]);
    expect((await tablesWith(theirs)).toSorted()).toEqual([
      'public."Customer"',
      'public."Message"',
    ]);
  });
});
