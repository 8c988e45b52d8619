import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";

const script = new URL("../../../scripts/replay.ts", import.meta.url).pathname;

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

async function giveUpOn(recipient: string): Promise<string> {
  const [row] = await world.query<{ id: string }>(
    `INSERT INTO "Message" ("id", "direction", "channel", "sender", "recipient", "body", "status", "failures",
       "attempts", "errorCode", "expiresAt")
     VALUES (gen_random_uuid(), 'OUTBOUND', 'sms', $1, $2, 'We are on our way', 'DEAD', 7, 8, '20503', now())
     RETURNING "id"`,
    [DEMO_NUMBER, recipient],
  );
  return row?.id ?? "";
}

/** Runs `pnpm replay` as a person does. */
function replay(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@jobrun/source", "--disable-warning=ExperimentalWarning", script, ...args],
    { env: { ...process.env, DATABASE_URL: world.database.url }, encoding: "utf8" },
  );
  return { status, stdout: stdout + stderr };
}

it("a text that was given up on is shown, without a number, and sent when a person says so", async () => {
  const id = await giveUpOn(CUSTOMER);
  const other = await giveUpOn("+447700900701");
  const shown = replay();
  expect(shown.stdout).toContain(id);
  expect(shown.stdout).toContain(other);
  expect(shown.stdout).not.toContain(CUSTOMER);
  await world.startGateway();
  expect(world.simulator.sent()).toEqual([]);

  expect(replay(id)).toMatchObject({ status: 0, stdout: expect.stringContaining("1 text") });
  await world.simulator.waitForSent(1, { to: CUSTOMER });
  expect(await settledMessagesWith(world, CUSTOMER)).toMatchObject([{ status: "SENT" }]);
  expect(replay("--all").status).toBe(0);
  await world.simulator.waitForSent(1, { to: "+447700900701" });
  expect(replay().stdout).toContain("No text was given up on");
});

it("says what is wrong with what it is asked", () => {
  expect(replay("--everything")).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("Unknown option '--everything'"),
  });
  const unknown = "01a1fef0-3954-76df-9bda-19787f47fe02";
  expect(replay(unknown)).toMatchObject({
    status: 1,
    stdout: expect.stringContaining(`${unknown}: not a text that was given up on`),
  });
});
