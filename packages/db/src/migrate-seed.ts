import pg from "pg";

/** A tenant to try the gateway with. */
export const demoTenant = {
  id: "019a0000-0000-7000-8000-000000000001",
  name: "Demo Plumbing",
  phoneNumber: "+447987654321",
  operatorPhone: "+447700900123",
  locale: "en",
  region: "GB",
  plan: "enterprise",
} as const;

/** Numbers for signing up by text: the one to text, and those that new tenants are given. */
export const demoNumbers = {
  signUp: "+447700900001",
  free: ["+447700900701", "+447700900702", "+447700900703", "+447700900704"],
} as const;

/**
 * Writes the demo tenant and its numbers. Running it again restores them and changes nothing else.
 *
 * @param phoneNumberId what Meta calls the demo tenant's number on WhatsApp, if it has one
 */
export async function seed(databaseUrl: string, phoneNumberId?: string): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    options: "-c role=gateway_service",
  });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      `INSERT INTO "Client" ("id", "name", "operatorPhone", "locale", "region", "plan")
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT ("id") DO UPDATE SET "name" = $2, "operatorPhone" = $3, "locale" = $4, "region" = $5, "plan" = $6`,
      [
        demoTenant.id,
        demoTenant.name,
        demoTenant.operatorPhone,
        demoTenant.locale,
        demoTenant.region,
        demoTenant.plan,
      ],
    );
    await client.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId")
       VALUES ($1, 'OPERATIONAL', $2)
       ON CONFLICT ("phoneNumber") DO UPDATE SET "role" = 'OPERATIONAL', "clientId" = $2`,
      [demoTenant.phoneNumber, demoTenant.id],
    );
    if (phoneNumberId !== undefined)
      await client.query(
        `INSERT INTO "ChannelNumber" ("channel", "address", "provider", "phoneNumber", "clientId")
         VALUES ('whatsapp', $1, 'whatsapp-cloud', $2, $3)
         ON CONFLICT DO NOTHING`,
        [phoneNumberId, demoTenant.phoneNumber, demoTenant.id],
      );
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}

/**
 * Adds the demo numbers to the pool. One that is there already stays as it is: somebody may have been given it.
 *
 * @returns every number of the pool, E.164
 */
export async function seedDemoNumbers(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    options: "-c role=gateway_service",
  });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role")
       SELECT $1, 'ONBOARDING'::"NumberRole" UNION ALL SELECT unnest($2::text[]), 'SYSTEM'
       ON CONFLICT ("phoneNumber") DO NOTHING`,
      [demoNumbers.signUp, demoNumbers.free],
    );
    const { rows } = await client.query<{ phoneNumber: string }>(
      `SELECT "phoneNumber" FROM "TwilioNumberPool" ORDER BY "phoneNumber"`,
    );
    return rows.map(({ phoneNumber }) => phoneNumber);
  } finally {
    await client.end();
  }
}
