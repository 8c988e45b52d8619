import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { createDatabase, Prisma, type Database } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import type pg from "pg";
import { prepare } from "../src/conversations/prepare.ts";
import { addTenant, storeEarlier } from "./deferred-world.ts";
import { createWorld, DEMO_NUMBER, type World } from "./harness.ts";

const MESSAGES = 5_000;
/** Pages of 8 kB. The part of an index that is about this conversation has more, and so have its messages. */
const FEW = 75;

let world: World;
let db: Database;

beforeAll(async () => {
  world = await createWorld({ usualRates: true });
  db = createDatabase({
    url: world.database.url,
    poolSize: 2,
    queryTimeoutMs: 10_000,
    transactionTimeoutMs: 10_000,
    onQueryTimeout: () => {},
  });
});
afterAll(async () => {
  await db.close();
  await world.close();
});

/** A twentieth of all customers but the first, whose texts are answered. */
async function giveAway(tenantId: string, remainder: number): Promise<void> {
  const some = `"phone" LIKE '+44712380%' AND right("phone", 4)::int % 20 = ${remainder} AND right("phone", 4) <> '0000'`;
  await world.query(
    `WITH customer AS (UPDATE "Customer" SET "clientId" = $1 WHERE ${some} RETURNING "id"),
       conversation AS (UPDATE "Conversation" v SET "clientId" = $1 FROM customer c WHERE c."id" = v."customerId" RETURNING v."id"),
       answered AS (UPDATE "Message" m SET "clientId" = $1, "status" = 'RECEIVED' FROM conversation v WHERE v."id" = m."conversationId")
     INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient", "body", "status")
     SELECT gen_random_uuid(), $1, "id", 'OUTBOUND', 'sms', 'reply', 'us', 'them', 'Words', 'DELIVERED'
     FROM conversation, generate_series(1, 4)`,
    [tenantId],
  );
}

/** A database that reads nothing: its rows are how much would be read. */
function measuring(pages: number[]): Database {
  return {
    ...db,
    tenantRead: async <Row extends pg.QueryResultRow>(tenantId: string, query: Prisma.Sql) => {
      const [row] = await db.tenantRead<Explained>(
        tenantId,
        Prisma.sql`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${query}`,
      );
      const plan = row?.["QUERY PLAN"][0].Plan;
      pages.push((plan?.["Shared Hit Blocks"] ?? NaN) + (plan?.["Shared Read Blocks"] ?? NaN));
      return db.tenantRead<Row>(tenantId, query);
    },
  };
}

interface Explained extends pg.QueryResultRow {
  "QUERY PLAN": [{ Plan: { "Shared Hit Blocks": number; "Shared Read Blocks": number } }];
}

it("a turn reads the end of a conversation and what is deferred in it, not all of its thousands of messages", async () => {
  // What is usual makes the plan: a few messages, of one tenant among many.
  const who = { customers: 4000, prefix: "+44712380", secondsAgo: 1 };
  const [customer = ""] = await storeEarlier(world, who);
  for (let tenant = 0; tenant < 20; tenant += 1)
    await giveAway(await addTenant(world, `+4479876500${String(tenant).padStart(2, "0")}`), tenant);
  await world.query(
    `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient", "body", "status", "createdAt")
     SELECT gen_random_uuid(), "clientId", "conversationId", 'INBOUND', 'sms', 'text', "sender", "recipient", 'Words of ' || n, 'RECEIVED',
       now() - interval '1 day' FROM "Message", generate_series(1, ${MESSAGES}) n WHERE "sender" = $1`,
    [customer],
  );
  await world.query('VACUUM ANALYZE "Message"');
  const pages: number[] = [];
  const address = { tenantId: demoTenant.id, channel: "sms", customer };
  const view = await prepare(measuring(pages), address, DEMO_NUMBER, ["SMnew"]);
  expect(view.history).toHaveLength(20);
  expect(view.history.at(-1)?.body).toBe(`Words of ${MESSAGES}`);
  expect(view.deferred).toMatchObject([{ body: "My pipe leaks" }]);
  expect(pages).toHaveLength(1);
  expect(pages[0]).toBeLessThan(FEW);
});
