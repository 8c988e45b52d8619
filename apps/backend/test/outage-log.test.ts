import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { DatabaseDoor } from "./database-door.ts";
import { eventually } from "./eventually.ts";
import { createWorld, type LogLine, type RunningGateway, type World } from "./harness.ts";

/** Those that ask the database all the time. */
const WORKERS = ["deferred", "deferred upkeep", "outbox", "outbox upkeep", "sweep", "timers"];

let world: World;
let gateway: RunningGateway;
let door: DatabaseDoor;

beforeAll(async () => {
  world = await createWorld();
  door = await DatabaseDoor.before(world);
  const env = { DATABASE_URL: door.url, SWEEP_INTERVAL_SECONDS: "0.05" };
  gateway = await world.startGateway(env, { pollMs: 20 });
  // The database answers all of them.
  await gateway.text({ sid: "SMbefore" });
  await world.simulator.waitForSent(1);
});
afterAll(async () => {
  await world.close();
  await door.shut();
});

const isAway = ({ level }: LogLine) => level === "error";
const isBack = ({ message }: LogLine) => message === "the database is back";

/** Of the workers' lines that say so, whose they are. */
function workersThat(say: (line: LogLine) => boolean): unknown[] {
  const lines = gateway.log.filter((line) => line["worker"] !== undefined && say(line));
  return lines.map((line) => line["worker"]).toSorted();
}

it("a worker says once that the database is away, without a stack, and once that it is back", async () => {
  await door.shut();
  // Raised after three sweeps that failed; the others ask more often.
  await gateway.logged(({ type }) => type === "SWEEP_FAILING");
  await gateway.text({ sid: "SMaway" });
  await eventually(
    async () => workersThat(isAway),
    (away) => WORKERS.every((worker) => away.includes(worker)),
  );
  await door.open();
  await eventually(
    async () => workersThat(isBack),
    (back) => WORKERS.every((worker) => back.includes(worker)),
  );

  const away = workersThat(isAway);
  expect(away).toEqual([...new Set(away)]);
  const errors = gateway.log.filter(({ error }) => error !== undefined);
  for (const { error } of errors)
    expect(error).toEqual({ class: expect.any(String), code: expect.any(String) });
  expect(workersThat(isBack)).toEqual([...new Set(workersThat(isBack))]);
});

it("the next outage is said again", async () => {
  const times = (say: (line: LogLine) => boolean) => async () =>
    workersThat(say).filter((worker) => worker === "outbox").length;
  const twice = (count: number) => count === 2;
  await door.shut();
  expect(await eventually(times(isAway), twice)).toBe(2);
  await door.open();
  expect(await eventually(times(isBack), twice)).toBe(2);
});
