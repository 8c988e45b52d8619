import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createDatabase, newId, sqlState, type Database } from "@jobrun/db";
import { createWorld, type World } from "./harness.ts";

let world: World;
let db: Database;

/** Every table of the application with a tenant's key, read from the catalogue: a new table joins by existing. */
interface TenantTable {
  name: string;
  key: string;
}
let tables: TenantTable[];
const [tenantA, tenantB] = [newId(), newId()];

beforeAll(async () => {
  world = await createWorld();
  db = createDatabase({
    url: world.database.url,
    poolSize: 2,
    queryTimeoutMs: 5000,
    transactionTimeoutMs: 10_000,
    onQueryTimeout: () => {},
  });
  await db.connect();
  tables = await world.query<TenantTable>(`
    SELECT c.relname AS name, CASE WHEN c.relname = 'Client' THEN 'id' ELSE 'clientId' END AS key
    FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND (c.relname = 'Client' OR EXISTS (
      SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'clientId' AND NOT a.attisdropped))
    ORDER BY 1`);
  for (const tenantId of [tenantA, tenantB]) await fill(tenantId);
});
afterAll(async () => {
  await db.close();
  await world.close();
});

/** One row in every table that has a tenant. */
async function fill(tenantId: string): Promise<void> {
  const [customer, conversation, message] = [newId(), newId(), newId()];
  const digits = tenantId === tenantA ? "1" : "2";
  await world.query(
    `INSERT INTO "Client" (id, name, "operatorPhone") VALUES ($1, 'Business', '+447700900${digits}00')`,
    [tenantId],
  );
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", role, "clientId") VALUES ('+447700900${digits}01', 'OPERATIONAL', $1)`,
    [tenantId],
  );
  await world.query(
    `INSERT INTO "Customer" (id, "clientId", phone) VALUES ($2, $1, '+447700900999')`,
    [tenantId, customer],
  );
  await world.query(
    `INSERT INTO "Conversation" (id, "clientId", "customerId", channel) VALUES ($3, $1, $2, 'sms')`,
    [tenantId, customer, conversation],
  );
  await world.query(
    `INSERT INTO "Message" (id, "clientId", "conversationId", direction, channel, sender, recipient, body, status)
     VALUES ($2, $1, $3, 'INBOUND', 'sms', '+447700900999', '+447700900${digits}01', 'hello', 'RECEIVED')`,
    [tenantId, message, conversation],
  );
  await world.query(
    `INSERT INTO "MediaFile" (id, "clientId", "messageId", channel, reference, "contentType", "dueAt")
     VALUES ($3, $1, $2, 'sms', 'x', 'image/jpeg', 'infinity')`,
    [tenantId, message, newId()],
  );
  await world.query(
    `INSERT INTO "ChannelNumber" (channel, address, provider, "phoneNumber", "clientId")
     VALUES ('sms', '10000${digits}', 'x', '+447700900${digits}03', $1)`,
    [tenantId],
  );
  await world.query(
    `INSERT INTO "Usage" ("clientId", period, day) VALUES ($1, '2026-11', '2026-11-21')`,
    [tenantId],
  );
  await world.query(
    `INSERT INTO "Job" (id, "clientId", "conversationId", number, summary) VALUES ($2, $1, $3, 1, 'a job')`,
    [tenantId, newId(), conversation],
  );
  await world.query(
    `INSERT INTO "AuditEntry" (id, "clientId", actor, role, action, target, "requestId")
     VALUES ($2, $1, 'test', 'admin', 'tenant.update', 'x', 'x')`,
    [tenantId, newId()],
  );
  await world.query(
    `INSERT INTO "OnboardingState" (id, "clientId", phone, state) VALUES ($2, $1, '+447700900${digits}02', 'TRADE')`,
    [tenantId, newId()],
  );
}

function quote(name: string): string {
  return `"${name}"`;
}

describe("a tenant's rows", () => {
  it("are in tables that all force row-level security and have a policy for tenants", async () => {
    const unprotected = await world.query<{ relname: string }>(
      `SELECT relname FROM pg_class c WHERE relname = ANY($1) AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity
         AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND 'gateway_tenant'::regrole = ANY(p.polroles)))`,
      [tables.map((table) => table.name)],
    );
    expect(unprotected).toEqual([]);
    expect(tables.map((table) => table.name)).toEqual(
      expect.arrayContaining([
        "AuditEntry",
        "ChannelNumber",
        "Client",
        "Conversation",
        "Customer",
        "Job",
        "MediaFile",
        "Message",
        "OnboardingState",
        "TwilioNumberPool",
        "Usage",
      ]),
    );
  });

  it("are invisible to another tenant's transaction, in every table", async () => {
    for (const { name, key } of tables) {
      const seen = await db.tenantTransaction(tenantA, (tx) =>
        tx.$queryRawUnsafe<{ owner: string }[]>(
          `SELECT ${quote(key)}::text AS owner FROM ${quote(name)}`,
        ),
      );
      expect({ name, owners: [...new Set(seen.map((row) => row.owner))] }).toEqual({
        name,
        owners: [tenantA],
      });
    }
  });

  it("cannot be changed, removed or given away by another tenant's transaction, in every table", async () => {
    for (const { name, key } of tables) {
      const change = (sql: string) =>
        db
          .tenantTransaction(tenantA, (tx) => tx.$executeRawUnsafe(sql, tenantB))
          .catch((error: unknown) => (sqlState(error) === "42501" ? "refused" : error));
      const counts = [
        await change(
          `UPDATE ${quote(name)} SET ${quote(key)} = ${quote(key)} WHERE ${quote(key)} = $1::uuid`,
        ),
        await change(`DELETE FROM ${quote(name)} WHERE ${quote(key)} = $1::uuid`),
      ];
      // What was written about changes is changed by nobody.
      const none = name === "AuditEntry" ? "refused" : 0;
      expect({ name, counts }).toEqual({ name, counts: [none, none] });
      const gift = db.tenantTransaction(tenantA, (tx) =>
        tx.$executeRawUnsafe(`UPDATE ${quote(name)} SET ${quote(key)} = $1::uuid`, tenantB),
      );
      await expect(gift).rejects.toThrow(/row-level security|permission denied/);
    }
  });

  it("are invisible as long as no tenant is set", async () => {
    for (const { name } of tables) {
      const rows = await db.serviceTransaction(async (tx) => {
        await tx.$executeRaw`SELECT set_config('role', 'gateway_tenant', true)`;
        return tx.$queryRawUnsafe<unknown[]>(`SELECT 1 FROM ${quote(name)}`);
      });
      expect({ name, rows }).toEqual({ name, rows: [] });
    }
  });

  it("are handled by roles that neither own the tables nor can bypass row-level security", async () => {
    const [role] = await db.service.$queryRaw<
      { current: string }[]
    >`SELECT current_user::text AS current`;
    expect(role).toEqual({ current: "gateway_service" });
    const roles = await world.query(
      `SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname IN ('gateway_tenant', 'gateway_service') ORDER BY 1`,
    );
    expect(roles).toEqual(
      ["gateway_service", "gateway_tenant"].map((rolname) => ({
        rolname,
        rolsuper: false,
        rolbypassrls: false,
        rolcanlogin: false,
      })),
    );
  });
});
