import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";
import { countRows, NO_ROWS, settledMessagesWith } from "./rows.ts";

const NOBODYS_NUMBER = "+447000000001";

let world: World;
let one: RunningGateway;
let two: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  one = await world.startGateway();
  two = await world.startGateway();
});
afterAll(() => world.close());

it("texts to a number of no tenant are kept apart, answered once per sender and hour, and the founder is alerted", async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? one : two).text({
        to: NOBODYS_NUMBER,
        // Each text comes twice, once to each gateway.
        sid: `SMlost${Math.floor(index / 2)}`,
        path: index % 4 < 2 ? "/sms" : "/sms/fallback",
      }),
    ),
  );
  expect(answers.map(({ status, body }) => [status, body])).toEqual(
    answers.map(() => [200, "<Response/>"]),
  );
  const [reply] = await world.simulator.waitForSent(1, { to: CUSTOMER });
  expect(reply).toMatchObject({ from: NOBODYS_NUMBER });
  expect(await settledMessagesWith(world, CUSTOMER)).toMatchObject([{ kind: "unrouted_reply" }]);
  expect(world.simulator.sent()).toHaveLength(1);
  expect(await countRows(world)).toEqual({ ...NO_ROWS, Message: 1, UnroutedMessage: 5 });
  expect(world.simulator.modelCalls()).toEqual([]);
  await eventually(
    () => world.query('SELECT 1 FROM "Alert" WHERE "type" = \'UNROUTED_MESSAGE\''),
    (rows) => rows.length === 1,
  );
});

it("another sender has an answer of their own, and the first one again after an hour", async () => {
  const other = "+447123490001";
  await one.text({ to: NOBODYS_NUMBER, from: other });
  await world.simulator.waitForSent(1, { to: other });

  await world.query(`UPDATE "UnroutedMessage" SET "receivedAt" = "receivedAt" - interval '1 hour'`);
  await one.text({ to: NOBODYS_NUMBER });
  expect(await world.simulator.waitForSent(2, { to: CUSTOMER })).toHaveLength(2);
});

it("a text from a number of ours is kept and never answered, or two of them would write for ever", async () => {
  const ours = "+447700900641";
  await world.query(`INSERT INTO "TwilioNumberPool" ("phoneNumber") VALUES ($1)`, [ours]);
  for (const path of ["/sms", "/sms/fallback"]) {
    const answer = await one.text({ from: ours, to: DEMO_NUMBER, path });
    expect(answer).toMatchObject({ status: 200, body: "<Response/>" });
  }
  const kept = await world.query(`SELECT "answered" FROM "UnroutedMessage" WHERE "sender" = $1`, [
    ours,
  ]);
  expect(kept).toEqual([{ answered: false }, { answered: false }]);
  expect(await settledMessagesWith(world, ours)).toEqual([]);
});
