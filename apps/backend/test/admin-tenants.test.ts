import { describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import {
  admin,
  idsInPages,
  pictureFrom,
  refusal,
  superAdmin,
  useAdminWorld,
} from "./admin-world.ts";
import { DEMO_NUMBER } from "./harness.ts";

useAdminWorld();

const NEW = {
  name: "Müller & Söhne <24h>",
  operatorPhone: "+447700900555",
  locale: "fr",
  timeZone: "Europe/Paris",
  region: "FR",
  plan: "pro",
};

async function fieldsRefused(method: string, path: string, body: unknown): Promise<string[]> {
  const answer = await superAdmin(method, path, body);
  expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid" } } });
  return refusal(answer).fields ?? [];
}

describe("a tenant", () => {
  it("is added with what was given, and audited without a word about people", async () => {
    const { status, body, requestId } = await superAdmin("POST", "/tenants", NEW);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...NEW,
      ownerName: null,
      outboundPaused: false,
      numbers: [],
      limits: { monthlyMessages: null, conversationRate: null, senderRate: null },
    });
    expect((await superAdmin("GET", `/tenants/${body.id}`)).body).toEqual(body);
    const [entry, ...more] = await admin.auditOf(body.id);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      clientId: body.id,
      actor: "founder",
      role: "super-admin",
      action: "tenant.create",
      requestId,
    });
    expect(entry?.changes["fields"]).toContain("operatorPhone");
    expect(JSON.stringify(entry?.changes)).not.toMatch(/Müller|900555/);
  });

  it("is refused with the name of every field that is wrong", async () => {
    const wrong = {
      operatorPhone: "07700 900555",
      locale: "de",
      timeZone: "Europe/Nowhere",
      region: "gb",
      plan: "gold",
      colour: "red",
    };
    expect((await fieldsRefused("POST", "/tenants", wrong)).toSorted()).toEqual(
      ["colour", "locale", "name", "operatorPhone", "plan", "region", "timeZone"].toSorted(),
    );
    const limits = { conversationRate: { max: 0, windowSeconds: 30 } };
    const path = `/tenants/${demoTenant.id}`;
    expect(await fieldsRefused("PATCH", path, { limits })).toEqual(["limits.conversationRate.max"]);
    expect(await fieldsRefused("POST", "/tenants", [])).toEqual(["body"]);
    expect(await fieldsRefused("PATCH", path, {})).toEqual(["body"]);
  });

  it("is refused in words that say what each field must be", async () => {
    const wrong = { operatorPhone: 7, locale: "de", ownerName: "x".repeat(101), plan: "pro" };
    const limits = { monthlyMessages: 1.5, conversationRate: { max: 0, windowSeconds: "x" } };
    const posted = await superAdmin("POST", "/tenants", wrong);
    const patched = await superAdmin("PATCH", `/tenants/${demoTenant.id}`, { limits });
    expect([...(posted.body.error.details ?? []), ...(patched.body.error.details ?? [])]).toEqual([
      { field: "name", message: "is needed" },
      { field: "operatorPhone", message: "must be a text" },
      { field: "locale", message: "must be one of en, fr" },
      { field: "ownerName", message: "must be at most 100 characters long" },
      { field: "limits.monthlyMessages", message: "must be a whole number" },
      { field: "limits.conversationRate.max", message: "must be at least 1" },
      { field: "limits.conversationRate.windowSeconds", message: "must be a number" },
    ]);
  });

  it.each(["operatorPhone", "secondContactPhone"])(
    "cannot have a number of the gateway's own as %s: texts to it would come back",
    async (field) => {
      const { id, admin: api } = await admin.addTenant();
      await admin.world.query(
        `INSERT INTO "ChannelNumber" ("channel", "address", "provider", "phoneNumber", "clientId")
         VALUES ('whatsapp', $1, 'whatsapp-cloud', '+447700900998', $2)`,
        [`address-${field}`, id],
      );
      for (const phone of [DEMO_NUMBER, "+447700900998"]) {
        const own = { [field]: phone };
        expect(await fieldsRefused("POST", "/tenants", { ...NEW, ...own })).toEqual([field]);
        expect(refusal(await api("PATCH", `/tenants/${id}`, own))).toEqual({
          status: 400,
          fields: [field],
        });
      }
    },
  );

  it.each([
    ["name", "Acme\r\nYour code is 1234"],
    ["name", "Acme\u2028Ltd"],
    ["ownerName", "Ann\nOther"],
    ["region", "ZZ"],
    ["region", "QQ"],
    ["region", "UK"],
  ])("is refused with %s %j", async (field, value) => {
    expect(await fieldsRefused("POST", "/tenants", { ...NEW, [field]: value })).toEqual([field]);
  });

  it("keeps what a change does not name, and null gives a limit back to the plan", async () => {
    const { body } = await superAdmin("POST", "/tenants", NEW);
    const path = `/tenants/${body.id}`;
    const rate = { max: 3, windowSeconds: 10 };
    await superAdmin("PATCH", path, { limits: { monthlyMessages: 5, senderRate: rate } });
    const changed = await superAdmin("PATCH", path, {
      aiDisabled: true,
      limits: { monthlyMessages: null, conversationRate: rate },
    });
    expect(changed.body).toEqual({
      ...body,
      aiDisabled: true,
      limits: { monthlyMessages: null, conversationRate: rate, senderRate: rate },
    });
    const [row] = await admin.world.query(`SELECT "limits" FROM "Client" WHERE "id" = $1`, [
      body.id,
    ]);
    expect(row).toEqual({ limits: { conversationRate: rate, senderRate: rate } });
    expect((await admin.auditOf(body.id)).map(({ action }) => action)).toEqual([
      "tenant.create",
      "tenant.update",
      "tenant.update",
    ]);
  });

  it("is changed by their own admin, apart from what they pay for", async () => {
    const { id, admin: api } = await admin.addTenant();
    const changed = await api("PATCH", `/tenants/${id}`, { outboundPaused: true });
    expect(changed).toMatchObject({ status: 200, body: { outboundPaused: true } });
    for (const paid of [{ plan: "enterprise" }, { limits: { monthlyMessages: -1 } }]) {
      const { status, body } = await api("PATCH", `/tenants/${id}`, paid);
      expect({ status, field: body.error.details?.[0]?.field }).toEqual({
        status: 403,
        field: Object.keys(paid)[0],
      });
    }
    expect((await api("GET", `/tenants/${id}`)).body).toMatchObject({
      plan: "starter",
      limits: { monthlyMessages: null },
    });
  });

  it("is deleted with all that is theirs; the number rests, the audit stays", async () => {
    const { id, number } = await admin.addTenant();
    await admin.gateway.text({ to: number, sid: "SM-of-a-deleted-tenant", body: "Hello" });
    const { phoneNumberId } = await pictureFrom(admin.world, id, { userId: "GB.1349" });
    expect((await superAdmin("DELETE", `/tenants/${id}`)).status).toBe(204);
    expect(await admin.world.query(`SELECT 1 FROM "MediaFile"`)).toEqual([]);
    const tables = await admin.world.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'clientId'
         AND table_schema = 'public' AND table_name <> 'AuditEntry'`,
    );
    for (const { name } of tables)
      expect({
        name,
        rows: await admin.world.query(`SELECT 1 FROM "${name}" WHERE "clientId" = $1`, [id]),
      }).toEqual({ name, rows: [] });
    const [released] = await admin.world.query(
      `SELECT "role", "releasedAt" > now() - interval '1 minute' AS "rests" FROM "TwilioNumberPool" WHERE "phoneNumber" = $1`,
      [number],
    );
    expect(released).toEqual({ role: "SYSTEM", rests: true });
    expect((await admin.auditOf(id)).at(-1)).toMatchObject({
      action: "tenant.delete",
      changes: { released: [number, phoneNumberId] },
    });
    expect((await superAdmin("DELETE", `/tenants/${id}`)).status).toBe(404);

    // What the provider repeats is not taken for a text to a number of nobody.
    await admin.gateway.text({ to: number, sid: "SM-of-a-deleted-tenant", body: "Hello" });
    expect(
      await admin.world.query(`SELECT 1 FROM "UnroutedMessage" WHERE "recipient" = $1`, [number]),
    ).toEqual([]);
  });

  it("shows up once in the pages of a list, newest first", async () => {
    for (let count = 0; count < 3; count += 1) await superAdmin("POST", "/tenants", NEW);
    const all = (await superAdmin("GET", "/tenants?limit=100")).body.items.map(({ id }) => id);
    expect(all).toEqual(all.toSorted().toReversed());
    expect(await idsInPages(superAdmin, "/tenants", 2)).toEqual(all);
    for (const [query, field] of [
      ["limit=101", "limit"],
      ["limit=0", "limit"],
      ["cursor=zzz", "cursor"],
      ["page=2", "page"],
    ])
      expect(await fieldsRefused("GET", `/tenants?${query}`, undefined)).toEqual([field]);
  });
});

describe("a number", () => {
  const give = (id: string, phoneNumber?: string) =>
    superAdmin("POST", `/tenants/${id}/numbers`, {
      channel: "sms",
      ...(phoneNumber !== undefined && { phoneNumber }),
    });

  it("comes from the pool when none is named, and is refused when none is left", async () => {
    const { id } = await admin.addTenant();
    expect((await give(id)).status).toBe(409);
    await admin.world.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber") VALUES ('+447911200001')`,
    );
    expect(await give(id)).toMatchObject({
      status: 201,
      body: { channel: "sms", phoneNumber: "+447911200001" },
    });
    expect((await admin.auditOf("+447911200001")).map(({ action }) => action)).toEqual([
      "number.allocate",
    ]);
  });

  it("that is named is attached, unless it is somebody's, the gateway's or for sign-ups", async () => {
    const { id } = await admin.addTenant();
    await admin.world.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "reserved")
       VALUES ('+447911200002', 'ONBOARDING', false), ('+447911200003', 'SYSTEM', true)`,
    );
    for (const taken of [DEMO_NUMBER, "+447911200002", "+447911200003"])
      expect((await give(id, taken)).status).toBe(409);
    expect((await give(id, "+447911200004")).status).toBe(201);
    expect((await superAdmin("GET", `/tenants/${id}`)).body["numbers"]).toContainEqual({
      channel: "sms",
      phoneNumber: "+447911200004",
    });
    expect((await give(newId(), "+447911200005")).status).toBe(404);
  });

  it("that is taken away rests, and can be given back by name", async () => {
    const { id, number } = await admin.addTenant();
    const path = (tenant: string) => `/tenants/${tenant}/numbers/${encodeURIComponent(number)}`;
    expect((await superAdmin("DELETE", path(demoTenant.id))).status).toBe(404);
    expect((await superAdmin("DELETE", path(id))).status).toBe(204);
    expect((await superAdmin("DELETE", path(id))).status).toBe(404);
    expect((await give(id)).status).toBe(409);
    expect((await give(id, number)).status).toBe(201);
    expect((await admin.auditOf(number)).map(({ action }) => action)).toEqual([
      "number.attach",
      "number.release",
      "number.attach",
    ]);
  });
});
