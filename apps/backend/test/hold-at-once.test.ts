import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createDatabase, type Database } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { twilioChannel } from "@jobrun/messaging";
import pg from "pg";
import { holdAtOnce } from "../src/conversations/hold-at-once.ts";
import { holdWaiting } from "../src/conversations/hold-waiting.ts";
import { outboxText } from "../src/outbound/enqueue.ts";
import { countOf, DEFERRED, HOLDING, RARELY, storeEarlier } from "./deferred-world.ts";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

describe("a text that comes to the fallback while the worker has another of its customer", () => {
  it("is held at once, and only once, however many follow it", async () => {
    const gateway = await world.startGateway(DEFERRED, RARELY);
    world.simulator.setFaults({ modelDelayMs: 2500 });
    await gateway.text({ body: "My pipe leaks" });
    await gateway.logged((line) => line.event === "llm_request");
    const fallback = (body: string) => gateway.text({ body, path: "/sms/fallback" });
    await fallback("In the kitchen");
    const [first] = await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(first?.body).toBe(HOLDING);
    expect(countOf(gateway, "llm_request_completed")).toBe(0);
    await Promise.all([fallback("At 5 High Street"), fallback("Tomorrow please")]);

    await world.simulator.waitForSent(2, { to: CUSTOMER }, 25_000);
    const rows = await eventually(
      () => settledMessagesWith(world, CUSTOMER),
      (all) => all.every(({ status }) => status !== "DEFERRED"),
    );
    expect(rows.filter(({ direction }) => direction === "INBOUND")).toHaveLength(4);
    expect(rows.filter(({ kind }) => kind === "holding")).toHaveLength(1);
  });
});

describe("the holding text that is said at once", () => {
  let db: Database;

  beforeEach(() => {
    db = createDatabase({
      url: world.database.url,
      poolSize: 8,
      queryTimeoutMs: 5_000,
      transactionTimeoutMs: 10_000,
      onQueryTimeout: () => {},
    });
  });
  afterEach(() => db.close());

  function hold(conversationId: string) {
    return holdAtOnce(db, {
      ...outboxText("holding", HOLDING, CUSTOMER),
      tenantId: demoTenant.id,
      conversationId,
      channel: "sms",
      sender: DEMO_NUMBER,
      requestId: "the request",
    });
  }

  /** That of a customer who has waited so long that they are told anyway. */
  async function waitingConversation(): Promise<string[]> {
    await storeEarlier(world, { customers: 1, prefix: "+44712360", secondsAgo: 61, leased: true });
    const rows = await world.query<{ id: string }>('SELECT "id" FROM "Conversation"');
    return rows.map(({ id }) => id);
  }

  /** Resolves when a statement waits for a lock. */
  function somebodyWaits() {
    return eventually(
      () =>
        world.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        ),
      (rows) => rows.length > 0,
    );
  }

  async function timesSaid(): Promise<number> {
    const rows = await world.query(`SELECT 1 FROM "Message" WHERE "kind" = 'holding'`);
    return rows.length;
  }

  it("is not said when somebody says it at this moment", async () => {
    const [id = ""] = await waitingConversation();
    const other = new pg.Client({ connectionString: world.database.url });
    await other.connect();
    await other.query("BEGIN");
    await other.query(`SELECT 1 FROM "Conversation" WHERE "id" = $1 FOR NO KEY UPDATE`, [id]);
    const said = hold(id);
    await somebodyWaits();
    await other.query(
      `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient", "body", "status")
       SELECT gen_random_uuid(), "clientId", "id", 'OUTBOUND', 'sms', 'holding', $2, $3, $4, 'QUEUED'
       FROM "Conversation" WHERE "id" = $1`,
      [id, DEMO_NUMBER, CUSTOMER, HOLDING],
    );
    await other.query("COMMIT");
    await other.end();
    expect(await said).toBeNull();
    expect(await timesSaid()).toBe(1);
  });

  it("is not said again by whoever has looked for those who wait before it was said", async () => {
    const [id = ""] = await waitingConversation();
    const other = new pg.Client({ connectionString: world.database.url });
    await other.connect();
    // Stops a look at tenants, which follows that at conversations, until this client lets it go on.
    await other.query(`
      CREATE FUNCTION wait_for_test() RETURNS boolean LANGUAGE sql AS 'SELECT pg_advisory_xact_lock_shared(1); SELECT true';
      CREATE POLICY wait_for_test ON "Client" AS RESTRICTIVE FOR SELECT TO gateway_service USING (wait_for_test());
      SELECT pg_advisory_lock(1)`);
    const channels = new Map([
      ["sms" as const, twilioChannel({ accountSid: "AC1", authTokens: ["a token"] })],
    ]);
    const events = { emit: () => {} };
    const told = holdWaiting({ db, channels, events, timings: { holdingAfterMs: 60_000 } });
    await somebodyWaits();
    expect(await hold(id)).not.toBeNull();
    await other.end();
    expect(await told).toBe(0);
    expect(await timesSaid()).toBe(1);
  });

  it("is not said when all is answered", async () => {
    const [id = ""] = await waitingConversation();
    await world.query(`UPDATE "Message" SET "status" = 'RECEIVED'`);
    expect(await hold(id)).toBeNull();
    expect(await timesSaid()).toBe(0);
  });
});
