import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createDatabase, type Database } from "@jobrun/db";
import pg from "pg";
import {
  claimDeferred,
  returnDeferred,
  type ClaimedConversation,
} from "../src/conversations/claim-deferred.ts";
import { storeEarlier } from "./deferred-world.ts";
import { createWorld, type World } from "./harness.ts";

const LEASE_MS = 10_000;

let world: World;
let db: Database;

beforeEach(async () => {
  world = await createWorld();
  db = createDatabase({
    url: world.database.url,
    poolSize: 2,
    queryTimeoutMs: 5_000,
    transactionTimeoutMs: 10_000,
    onQueryTimeout: () => {},
  });
  await storeEarlier(world, { customers: 1, prefix: "+44712370", secondsAgo: 1 });
});
afterEach(async () => {
  await db.close();
  await world.close();
});

function claim(): Promise<ClaimedConversation[]> {
  return claimDeferred(db, { count: 10, perTenant: 10, underWay: {}, leaseMs: LEASE_MS });
}

/** The customer writes again. @returns the ids of all their texts, oldest first */
async function addText(): Promise<string[]> {
  await world.query(
    `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient", "body",
       "status", "requestId", "providerMessageId")
     SELECT gen_random_uuid(), "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient", 'Hello?',
       "status", "requestId", 'SMsecond' FROM "Message"`,
  );
  const rows = await world.query<{ id: string }>(`SELECT "id" FROM "Message" ORDER BY "position"`);
  return rows.map(({ id }) => id);
}

it("a conversation whose oldest text another process is claiming is left alone, its later texts too", async () => {
  const [oldest, second] = await addText();
  const other = new pg.Client({ connectionString: world.database.url });
  await other.connect();
  await other.query("BEGIN");
  await other.query(`SELECT 1 FROM "Message" WHERE "id" = $1 FOR NO KEY UPDATE`, [oldest]);
  expect(await claim()).toEqual([]);
  await other.query("ROLLBACK");
  await other.end();
  const [claimed, ...more] = await claim();
  expect(claimed?.messageIds.toSorted()).toEqual([oldest, second].toSorted());
  expect(more).toEqual([]);
});

it("a worker whose lease has ended gives nothing back that is another's by then", async () => {
  const [late] = await claim();
  await world.query(`UPDATE "Message" SET "leasedUntil" = now(), "dueAt" = now()`);
  const [current] = await claim();
  if (late === undefined || current === undefined) throw new Error("both have claimed the text");

  await returnDeferred(db, late);
  const leases = () =>
    world.query(
      `SELECT "leasedUntil", "dueAt" > now() + interval '6 seconds' AS "late" FROM "Message"`,
    );
  expect(await leases()).toEqual([{ leasedUntil: current.leasedUntil, late: true }]);

  await returnDeferred(db, { ...current, attempts: 1 });
  expect(await leases()).toEqual([{ leasedUntil: null, late: false }]);
});
