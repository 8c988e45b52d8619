import { createRequire } from "node:module";
import pg from "pg";
import { getConstructionPlans, getMigrationPlans } from "pg-boss";
import { TIMER_QUEUE, TIMER_SCHEMA } from "./timer-queue.ts";

/** Any number that no other code uses: two processes may migrate at the same moment. */
const LOCK = 20_260_043;

/**
 * Brings the tables of pg-boss to the version of the installed package, makes the queue of the timers
 * and gives the gateway's roles what they need of it.
 *
 * The role gateway_service works with the tables and may not change them, so the gateway never migrates
 * by itself. The role gateway_tenant may add a timer and see ids and queues; what timers carry it
 * cannot read, since row-level security does not reach these tables.
 *
 * @throws what the database throws; nothing is changed then.
 */
export async function migrateTimers(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
    const installed = await installedVersion(client);
    if (installed === null) await client.query(getConstructionPlans(TIMER_SCHEMA));
    else if (installed < packageVersion())
      await client.query(getMigrationPlans(TIMER_SCHEMA, installed));
    await client.query(QUEUE_AND_GRANTS);
  } finally {
    await client.end();
  }
}

const QUEUE_AND_GRANTS = `
  SELECT ${TIMER_SCHEMA}.create_queue('${TIMER_QUEUE}', '{"policy": "standard"}');
  GRANT USAGE ON SCHEMA ${TIMER_SCHEMA} TO gateway_tenant, gateway_service;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${TIMER_SCHEMA} TO gateway_service;
  GRANT SELECT ON ${TIMER_SCHEMA}.queue TO gateway_tenant;
  GRANT INSERT, SELECT (id) ON ${TIMER_SCHEMA}.job_common TO gateway_tenant;
`;

async function installedVersion(client: pg.Client): Promise<number | null> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT to_regclass('${TIMER_SCHEMA}.version') IS NOT NULL AS found`,
  );
  if (rows[0]?.found !== true) return null;
  const version = await client.query<{ version: number }>(
    `SELECT version FROM ${TIMER_SCHEMA}.version`,
  );
  return version.rows[0]?.version ?? null;
}

/** pg-boss counts versions of its tables apart from its own, and says only there which one it needs. */
function packageVersion(): number {
  const manifest = createRequire(import.meta.url)("pg-boss/package.json") as {
    pgboss: { schema: number };
  };
  return manifest.pgboss.schema;
}
