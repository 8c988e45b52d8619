import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import pg from "pg";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, type World } from "./harness.ts";
import { countRows, NO_ROWS, settledMessagesWith } from "./rows.ts";

const REFUSED = {
  status: 500,
  contentType: expect.stringContaining("text/plain"),
  body: "Message processing failed - will retry",
};

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

async function expectProcessedOnce(sid: string) {
  expect(await settledMessagesWith(world, CUSTOMER)).toMatchObject([
    { direction: "INBOUND", providerMessageId: sid },
    { direction: "OUTBOUND", status: "SENT" },
  ]);
  expect(world.simulator.sent({ to: CUSTOMER })).toHaveLength(1);
}

describe("a text that cannot be processed", () => {
  it("leaves no row behind when the model's key is wrong, and is processed once when it comes again", async () => {
    const broken = await world.startGateway({ OPENAI_API_KEY: "sk-wrong" });
    expect(await broken.text({ sid: "SMkey" })).toEqual(REFUSED);
    expect(await countRows(world)).toEqual(NO_ROWS);
    expect(world.simulator.sent()).toEqual([]);
    expect(
      await broken.logged(
        (line) => line.message === "CRITICAL: Message processing transaction failed",
      ),
    ).toMatchObject({ level: "error", event: "transaction_failed", providerMessageId: "SMkey" });
    await broken.stop();

    const repaired = await world.startGateway();
    expect((await repaired.text({ sid: "SMkey" })).status).toBe(200);
    await expectProcessedOnce("SMkey");
  });

  // SHARE lets the gateway read and insert the customer, and stops it at the message: half-way through the commit.
  it.each(["ACCESS EXCLUSIVE", "SHARE"])(
    "is cut off by the server when a query takes too long (%s lock), leaves no row behind, and recovers",
    async (mode) => {
      const gateway = await world.startGateway({ DATABASE_QUERY_TIMEOUT_MS: "1000" });
      const locker = new pg.Client({ connectionString: world.database.url });
      await locker.connect();
      await locker.query(`BEGIN; LOCK TABLE "Message" IN ${mode} MODE`);
      try {
        expect(await gateway.text({ sid: "SMlocked" })).toEqual(REFUSED);
      } finally {
        await locker.end();
      }
      await gateway.logged((line) => line.message === "Query timeout exceeded");
      expect(await countRows(world)).toEqual(NO_ROWS);

      expect((await gateway.text({ sid: "SMlocked" })).status).toBe(200);
      await expectProcessedOnce("SMlocked");
    },
  );
});

describe("a model that hangs", () => {
  it("is given up at the deadline: 500, no row, and no transaction was open meanwhile", async () => {
    const gateway = await world.startGateway({
      WEBHOOK_DEADLINE_MS: "4000",
      OPENAI_TIMEOUT_MS: "60000",
    });
    world.simulator.setFaults({ model: { kind: "hang" } });

    let answered = false;
    const answer = gateway.text({ sid: "SMhang" }).finally(() => (answered = true));
    await gateway.logged((line) => line.event === "llm_request");
    // The workers look at the database now and then; a transaction of the webhook would be there at every look.
    await eventually(openTransactions, (open) => open === 0);
    expect(answered).toBe(false);

    expect(await answer).toEqual(REFUSED);
    expect(await countRows(world)).toEqual(NO_ROWS);
    expect(await world.simulator.waitForModelCalls(1)).toMatchObject([{ outcome: "aborted" }]);
  });

  async function openTransactions(): Promise<number> {
    const [row] = await world.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
         AND backend_type = 'client backend'`,
    );
    return row?.open ?? Number.NaN;
  }
});
