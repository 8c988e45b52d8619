import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createDatabase, newId, Prisma, type Database } from "./index.ts";
import { demoTenant } from "./migrate.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

let database: TestDatabase;
let db: Database;
let cancelled = 0;
const other = newId();

const WHO = Prisma.sql`SELECT current_user::text AS "role", array_agg("id"::text) AS "tenants"
  FROM "Client" WHERE "id" = ANY(${[demoTenant.id, other]}::uuid[])`;
const asDemo = [{ role: "gateway_tenant", tenants: [demoTenant.id] }];
const above = [
  { role: "gateway_service", tenants: expect.arrayContaining([demoTenant.id, other]) },
];

beforeAll(async () => {
  database = await createTestDatabase();
  db = createDatabase({
    url: database.url,
    // One connection: whatever a transaction leaves behind on it, the next one would meet.
    poolSize: 1,
    queryTimeoutMs: 2500,
    transactionTimeoutMs: 5000,
    onQueryTimeout: () => {
      cancelled += 1;
    },
  });
  await db.service.tenant.create({
    data: { id: other, name: "Other", operatorPhone: "+447700900111" },
  });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});
beforeEach(() => {
  cancelled = 0;
});

describe("the rows of one tenant", () => {
  it("are all that a read sees, and the connection is the service's again after it", async () => {
    expect(await db.tenantRead(demoTenant.id, WHO)).toEqual(asDemo);
    expect(await db.service.$queryRaw(WHO)).toEqual(above);
  });

  it("are all that a transaction sees, and the connection is the service's again after it", async () => {
    expect(await db.tenantTransaction(demoTenant.id, (tx) => tx.$queryRaw(WHO))).toEqual(asDemo);
    expect(await db.serviceTransaction((tx) => tx.$queryRaw(WHO))).toEqual(above);
  });

  it("are all that each sees of many at once", async () => {
    const tenants = Array.from({ length: 20 }, (_, index) => (index % 2 ? demoTenant.id : other));
    const reads = tenants.map((id) => db.tenantRead(id, WHO));
    const transactions = tenants.map((id) => db.tenantTransaction(id, (tx) => tx.$queryRaw(WHO)));
    const seen = tenants.map((id) => [{ role: "gateway_tenant", tenants: [id] }]);
    expect(await Promise.all(reads)).toEqual(seen);
    expect(await Promise.all(transactions)).toEqual(seen);
  });

  it("are none for a tenant whose id tries to be SQL", async () => {
    const id = `${demoTenant.id}'; SELECT set_config('role', 'gateway_service', true); --`;
    await expect(db.tenantRead(id, WHO)).rejects.toThrow("uuid");
    await expect(db.tenantTransaction(id, (tx) => tx.$queryRaw(WHO))).rejects.toThrow("uuid");
    expect(await db.service.$queryRaw(WHO)).toEqual(above);
  });
});

it("a read that fails fails alone", async () => {
  await expect(db.tenantRead(demoTenant.id, Prisma.sql`SELECT 1 / ${0}::int`)).rejects.toThrow(
    "division by zero",
  );
  expect(await db.tenantRead(demoTenant.id, WHO)).toEqual(asDemo);
  expect(cancelled).toBe(0);
});

it("each statement that the server cuts short is reported once", async () => {
  const sleep = Prisma.sql`SELECT pg_sleep(${60})::text`;
  const statements = [
    () => db.service.$queryRaw(sleep),
    () => db.serviceTransaction((tx) => tx.$queryRaw(sleep)),
    () => db.tenantTransaction(demoTenant.id, (tx) => tx.$queryRaw(sleep)),
    () => db.tenantRead(demoTenant.id, sleep),
  ];
  for (const [index, statement] of statements.entries()) {
    await expect(statement()).rejects.toThrow("statement timeout");
    expect(cancelled).toBe(index + 1);
  }
});
