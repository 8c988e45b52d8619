import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { plans } from "../src/limits/plans.ts";
import type { RunningGateway, World } from "./harness.ts";
import { createLimitsWorld, eventsOf, newCustomer, setUsed, toldTo, used } from "./limits-world.ts";

const LIMIT = plans.starter.dailyTokens;

let world: World;
let gateway: RunningGateway;
let sids = 0;

beforeAll(async () => {
  world = await createLimitsWorld();
  gateway = await world.startGateway();
});
beforeEach(() => world.simulator.reset());
afterAll(() => world.close());

/** Texts the gateway; resolves with the text's id once it has its 200. */
async function write(from: string, to = gateway): Promise<string> {
  const sid = `SMtokens${(sids += 1)}`;
  expect(await to.text({ from, body: "Bonjour", sid })).toMatchObject({ status: 200 });
  return sid;
}

const kindsTold = async (phone: string) => (await toldTo(world, phone)).map(({ kind }) => kind);

/** Writes as 50 new customers at once, to the gateways in turn; resolves with the kinds of what they were told. */
async function writeAsFifty(gateways: RunningGateway[]): Promise<string[]> {
  const customers = Array.from({ length: 50 }, newCustomer);
  await Promise.all(customers.map((from, index) => write(from, gateways[index % gateways.length])));
  return (await Promise.all(customers.map(kindsTold))).flat().toSorted();
}

/** What the model took for all that it answered, as the gateways logged it. */
function spent(gateways: RunningGateway[]): number {
  return gateways
    .flatMap(({ log }) => log.filter(({ event }) => event === "llm_request_completed"))
    .reduce((sum, line) => sum + Number(line["tokensIn"]) + Number(line["tokensOut"]), 0);
}

describe("50 customers at once, with one token of the day left", () => {
  beforeEach(async () => {
    await setUsed(world, { dayTokens: LIMIT - 1 });
    world.simulator.setFaults({ modelDelayMs: 100 });
  });

  it("get one answer, for which the model is asked once, and 49 notices", async () => {
    const before = spent([gateway]);
    expect(await writeAsFifty([gateway])).toEqual([...Array(49).fill("quota_notice"), "reply"]);
    expect(world.simulator.modelCalls()).toHaveLength(1);
    expect(await used(world)).toEqual({
      messages: 1,
      dayTokens: LIMIT - 1 + spent([gateway]) - before,
    });
  });

  it("get from two gateways every answer that the model gave, which is one of each at most", async () => {
    const gateways = [gateway, await world.startGateway()];
    const before = spent(gateways);
    const told = await writeAsFifty(gateways);
    const answers = told.filter((kind) => kind === "reply");
    expect(world.simulator.modelCalls()).toHaveLength(answers.length);
    expect(answers.length).toBeLessThanOrEqual(2);
    expect(told).toHaveLength(50);
    expect(await used(world)).toEqual({
      messages: answers.length,
      dayTokens: LIMIT - 1 + spent(gateways) - before,
    });
    await gateways[1]?.stop();
  });
});

describe("a customer of a tenant whose tokens of the day are used up", () => {
  it.each([
    ["fr", "Veuillez réessayer demain"],
    ["en", "Please try again tomorrow"],
  ])(
    "is told that it is for this day, in the language of the tenant: %s",
    async (locale, words) => {
      const customer = newCustomer();
      await setUsed(world, { dayTokens: LIMIT });
      await world.query(`UPDATE "Client" SET "locale" = $1`, [locale]);
      await write(customer);
      const body = expect.stringContaining(words);
      expect(await toldTo(world, customer)).toEqual([{ kind: "quota_notice", body }]);
    },
  );

  it("is told once that day, and blocked until the next", async () => {
    const customer = newCustomer();
    await setUsed(world, { dayTokens: LIMIT });
    const id = await write(customer);
    expect(eventsOf(gateway, id)).toContainEqual(
      expect.objectContaining({ event: "quota_exceeded", reason: "daily_tokens" }),
    );
    const next = await write(customer);
    expect(eventsOf(gateway, next)).toContainEqual(
      expect.objectContaining({ event: "quota_blocked_cached", reason: "daily_tokens" }),
    );
    expect(await kindsTold(customer)).toEqual(["quota_notice"]);
    expect(world.simulator.modelCalls()).toEqual([]);

    await world.query(`UPDATE "Usage" SET "day" = '2000-01-01'`);
    await world.query(`UPDATE "Conversation" SET "quotaPeriod" = '2000-01-01'`);
    await write(customer);
    expect(await kindsTold(customer)).toEqual(["quota_notice", "reply"]);
    const { dayTokens } = await used(world);
    expect(dayTokens).toBeLessThan(LIMIT);
  });
});
