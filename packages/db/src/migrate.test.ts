import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import pg from "pg";
import { checkDrift, demoNumbers, demoTenant, migrate, seed, seedDemoNumbers } from "./migrate.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

describe("migrations", () => {
  it("are recorded as `prisma migrate deploy` records them", async () => {
    const { rows } = await client.query("SELECT * FROM _prisma_migrations ORDER BY migration_name");
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row.checksum).toMatch(/^[0-9a-f]{64}$/);
      expect(row.finished_at).toBeInstanceOf(Date);
      expect(row.rolled_back_at).toBeNull();
      expect(row.applied_steps_count).toBe(1);
    }
  });

  it("are applied once", async () => {
    expect(await migrate(database.url)).toEqual([]);
  });

  it("agree with schema.prisma", async () => {
    expect(await checkDrift(database.url)).toBeNull();
  });

  it("differ from schema.prisma when a column is missing", async () => {
    const changed = await createTestDatabase();
    try {
      const other = new pg.Client({ connectionString: changed.url });
      await other.connect();
      await other.query('ALTER TABLE "Client" DROP COLUMN "region"');
      await other.end();
      expect(await checkDrift(changed.url)).toContain('"region"');
    } finally {
      await changed.drop();
    }
  });
});

describe("the seed", () => {
  it("restores the demo tenant without a second one", async () => {
    await client.query(`UPDATE "Client" SET "name" = 'Other'`);
    await seed(database.url);
    const { rows } = await client.query('SELECT "id", "name" FROM "Client"');
    expect(rows).toEqual([{ id: demoTenant.id, name: "Demo Plumbing" }]);
  });
});

describe("test databases", () => {
  it("do not see each other", async () => {
    const other = await createTestDatabase();
    try {
      await client.query(`UPDATE "Client" SET "name" = 'Here'`);
      const session = new pg.Client({ connectionString: other.url });
      await session.connect();
      const { rows } = await session.query('SELECT "name" FROM "Client"');
      await session.end();
      expect(rows).toEqual([{ name: "Demo Plumbing" }]);
    } finally {
      await other.drop();
    }
  });
});

describe("the demo's numbers", () => {
  it("are added beside those of the pool, and leave one that was given away to whom it was given", async () => {
    const expected = [demoNumbers.signUp, ...demoNumbers.free, demoTenant.phoneNumber];
    expect(await seedDemoNumbers(database.url)).toEqual(expected);
    const [given] = demoNumbers.free;
    await client.query(
      `UPDATE "TwilioNumberPool" SET "role" = 'OPERATIONAL', "clientId" = $1 WHERE "phoneNumber" = $2`,
      [demoTenant.id, given],
    );
    expect(await seedDemoNumbers(database.url)).toEqual(expected);
    const { rows } = await client.query(
      `SELECT "phoneNumber" FROM "TwilioNumberPool" WHERE "role" = 'SYSTEM' ORDER BY "phoneNumber"`,
    );
    expect(rows.map((row) => row.phoneNumber)).toEqual(demoNumbers.free.slice(1));
  });
});
