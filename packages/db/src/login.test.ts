import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import pg from "pg";
import { createDatabase } from "./database.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./embedded-postgres.ts";
import { demoTenant, migrate, seed } from "./migrate.ts";
import { databaseOn } from "./test-database.ts";

// A server of its own: on the shared one the roles exist already, and belong to somebody else.
let server: EmbeddedPostgres;
let owner: pg.Client;

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "jobrun-login-"));
  server = await startEmbeddedPostgres({ dataDir, temporary: true });
  owner = new pg.Client({ connectionString: server.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await server.stop();
});

describe("a login that is no superuser can migrate, seed and run the gateway", () => {
  it("when it may create roles", async () => {
    expect(await useAs("maker", "CREATEROLE")).toEqual(working);
  });

  it("when it may not, and was made a member of the gateway's roles beforehand", async () => {
    for (const role of ["gateway_tenant", "gateway_service"])
      await owner.query(
        `DO $$ BEGIN CREATE ROLE ${role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
      );
    expect(await useAs("member", "IN ROLE gateway_tenant, gateway_service")).toEqual(working);
  });
});

const working = [
  [{ role: "gateway_tenant", name: demoTenant.name }],
  [{ role: "gateway_service", name: demoTenant.name }],
];

/** Makes the login and its empty database; returns who it is there and what it sees, in a tenant's transaction and above. */
async function useAs(login: string, attributes: string): Promise<unknown[]> {
  await owner.query(`CREATE ROLE ${login} LOGIN NOSUPERUSER PASSWORD 'test' ${attributes}`);
  await owner.query(`CREATE DATABASE ${login} OWNER ${login}`);
  const address = new URL(databaseOn(server.url, login));
  Object.assign(address, { username: login, password: "test" });
  await migrate(address.href);
  await seed(address.href);

  const limits = { queryTimeoutMs: 5000, transactionTimeoutMs: 30_000, onQueryTimeout: () => {} };
  const db = createDatabase({ url: address.href, poolSize: 2, ...limits });
  try {
    return [
      await db.tenantTransaction(
        demoTenant.id,
        (tx) => tx.$queryRaw`SELECT current_user::text AS "role", "name" FROM "Client"`,
      ),
      await db.service.$queryRaw`SELECT current_user::text AS "role", "name" FROM "Client"`,
    ];
  } finally {
    await db.close();
  }
}
