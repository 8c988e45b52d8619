import pg from "pg";

/** A tenant to try the gateway with. */
export const demoTenant = {
  id: "019a0000-0000-7000-8000-000000000001",
  name: "Demo Plumbing",
  phoneNumber: "+447987654321",
  operatorPhone: "+447700900123",
  locale: "en",
  region: "GB",
} as const;

/** Writes the demo tenant and its number. Running it again restores them and changes nothing else. */
export async function seed(databaseUrl: string): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    options: "-c role=gateway_service",
  });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      `INSERT INTO "Client" ("id", "name", "operatorPhone", "locale", "region")
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT ("id") DO UPDATE SET "name" = $2, "operatorPhone" = $3, "locale" = $4, "region" = $5`,
      [
        demoTenant.id,
        demoTenant.name,
        demoTenant.operatorPhone,
        demoTenant.locale,
        demoTenant.region,
      ],
    );
    await client.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId")
       VALUES ($1, 'OPERATIONAL', $2)
       ON CONFLICT ("phoneNumber") DO UPDATE SET "role" = 'OPERATIONAL', "clientId" = $2`,
      [demoTenant.phoneNumber, demoTenant.id],
    );
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}
