import { afterEach, beforeEach } from "@jest/globals";
import { createDatabase } from "@jobrun/db";
import { readSweepState } from "../src/conversations/sweep-state.ts";
import { eventually } from "./eventually.ts";
import { createWorld, type World } from "./harness.ts";
import { createSweeper, type Sweeper, type SweeperOptions } from "./sweep-world.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
/** Of tests that set the time themselves. Long past: the sweep trusts no clock that is ahead of the database's. */
export const NOON = Date.parse("2025-11-20T12:00:00Z");

/** The world of the test that runs. */
export let world: World;
let sweepers: Sweeper[];

/** A world for each test of a file, and the sweeps that it makes, which end with it. */
export function useSweeps(): void {
  beforeEach(async () => {
    world = await createWorld();
    sweepers = [];
  });
  afterEach(async () => {
    await Promise.all(sweepers.map(({ close }) => close()));
    await world.close();
  });
}

export function sweeper(options: SweeperOptions): Sweeper {
  const created = createSweeper(world, options);
  sweepers.push(created);
  return created;
}

/** A customer by number, E.164. */
export function customer(index: number): string {
  return `+44712345${String(index).padStart(4, "0")}`;
}

/** A gateway that answers. Its own sweep is over and leaves the next ones to the test. */
export async function startGateway() {
  const gateway = await world.startGateway({
    SWEEP_INTERVAL_SECONDS: "86400",
    TWILIO_SEGMENTS_PER_SECOND: "1000",
  });
  await eventually(
    () => world.query('SELECT 1 FROM "SweepState" WHERE "lastRunAt" IS NOT NULL'),
    (rows) => rows.length === 1,
  );
  return gateway;
}

interface InboundRow {
  sender: string;
  providerMessageId: string;
  status: string;
}

/** Every text that was stored, in the order of commits. */
export function inbound(): Promise<InboundRow[]> {
  return world.query<InboundRow>(
    `SELECT "sender", "providerMessageId", "status" FROM "Message" WHERE "direction" = 'INBOUND' ORDER BY "position"`,
  );
}

/** The ids of each customer's stored texts, in the order of commits. */
export async function storedOf(from: string): Promise<string[]> {
  return (await inbound())
    .filter(({ sender }) => sender === from)
    .map((row) => row.providerMessageId);
}

/** Resolves when every text is answered and every answer is sent. */
export async function allAnswered(): Promise<void> {
  await eventually(
    () =>
      world.query<{ status: string }>(
        `SELECT DISTINCT "status"::text FROM "Message" WHERE "status" NOT IN ('RECEIVED', 'SENT', 'DELIVERED')`,
      ),
    (rows) => rows.length === 0,
  );
}

/** The incidents of a type that go on. */
export function openAlerts(type: string): Promise<{ summary: string }[]> {
  return world.query(`SELECT "summary" FROM "Alert" WHERE "type" = $1 AND "state" <> 'RESOLVED'`, [
    type,
  ]);
}

/** What /health says about the sweep. */
export async function health() {
  const db = createDatabase({
    url: world.database.url,
    poolSize: 1,
    queryTimeoutMs: 5_000,
    transactionTimeoutMs: 5_000,
    onQueryTimeout: () => {},
  });
  try {
    return await readSweepState(db);
  } finally {
    await db.close();
  }
}
