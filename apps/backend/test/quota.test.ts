import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { plans } from "../src/limits/plans.ts";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import {
  createLimitsWorld,
  eventsOf,
  namesOf,
  newCustomer,
  setLimits,
  setUsed,
  toldTo,
  used,
} from "./limits-world.ts";
import { messagesWith } from "./rows.ts";

const LIMIT = plans.starter.monthlyMessages;
const GAS = "Il y a une forte odeur de gaz, 12 rue Haute";

let world: World;
let gateway: RunningGateway;
let sids = 0;

beforeAll(async () => {
  world = await createLimitsWorld();
  gateway = await world.startGateway();
});
beforeEach(async () => {
  world.simulator.reset();
  await world.query(`UPDATE "Client" SET "plan" = 'starter', "limits" = '{}'`);
  await world.query('DELETE FROM "Alert"');
  await setUsed(world, {});
});
afterAll(() => world.close());

/** Texts the gateway; resolves with the text's id once it has its 200. */
async function write(from: string, body = "Bonjour", to = gateway): Promise<string> {
  const sid = `SMquota${(sids += 1)}`;
  expect(await to.text({ from, body, sid })).toMatchObject({ status: 200 });
  return sid;
}

const kindsTold = async (phone: string) => (await toldTo(world, phone)).map(({ kind }) => kind);

const nearAlerts = () =>
  world.query<{ occurrences: number }>(`SELECT "occurrences" FROM "Alert" WHERE "key" = $1`, [
    `QUOTA_NEAR:${demoTenant.id}`,
  ]);

/** Writes as 50 new customers at once, to the gateways in turn. */
async function writeAsFifty(gateways: RunningGateway[]): Promise<string[]> {
  const customers = Array.from({ length: 50 }, newCustomer);
  await Promise.all(
    customers.map((from, index) => write(from, "Bonjour", gateways[index % gateways.length])),
  );
  const told = await Promise.all(customers.map(kindsTold));
  return told.flat().toSorted();
}

const oneAnswer = [...Array(49).fill("quota_notice"), "reply"];

describe("50 customers at once, with one answer left", () => {
  beforeEach(async () => {
    await setUsed(world, { messages: LIMIT - 1 });
    world.simulator.setFaults({ modelDelayMs: 100 });
  });

  it("get one answer, for which the model is asked once, and 49 notices", async () => {
    expect(await writeAsFifty([gateway])).toEqual(oneAnswer);
    expect(world.simulator.modelCalls()).toHaveLength(1);
    expect(await used(world)).toMatchObject({ messages: LIMIT });
  });

  it("get one answer from two gateways, each of which asks the model at most once", async () => {
    const other = await world.startGateway();
    expect(await writeAsFifty([gateway, other])).toEqual(oneAnswer);
    expect(world.simulator.modelCalls().length).toBeLessThanOrEqual(2);
    expect(await used(world)).toMatchObject({ messages: LIMIT });
    await other.stop();
  });

  it("get the answer that is left also when the model failed the first who was to have it", async () => {
    world.simulator.setFaults({
      modelDelayMs: 100,
      model: { kind: "refusal", times: 1 },
    });
    const customers = Array.from({ length: 10 }, newCustomer);
    const answers = await Promise.all(
      customers.map((from) => gateway.text({ from, body: "Bonjour" })),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...Array(9).fill(200), 500]);
    const told = (await Promise.all(customers.map(kindsTold))).flat().toSorted();
    expect(told).toEqual([...Array(8).fill("quota_notice"), "reply"]);
  });
});

describe("what is counted", () => {
  it("is each answer of the assistant, and the tokens of the model", async () => {
    const [customer, byScript] = [newCustomer(), newCustomer()];
    await write(customer);
    const { dayTokens } = await used(world);
    const [asked] = gateway.log.filter(({ event }) => event === "llm_request_completed").slice(-1);
    expect(dayTokens).toBe(Number(asked?.["tokensIn"]) + Number(asked?.["tokensOut"]));
    expect(dayTokens).toBeGreaterThan(0);

    await world.query(`UPDATE "Client" SET "aiDisabled" = true`);
    await write(byScript);
    await world.query(`UPDATE "Client" SET "aiDisabled" = false`);
    expect(await used(world)).toEqual({ messages: 2, dayTokens });
    await write(customer, "STOP");
    expect(await used(world)).toEqual({ messages: 2, dayTokens });
  });

  it("is complete for a tenant without limit whose customers write at once, and counts when a limit comes", async () => {
    await world.query(`UPDATE "Client" SET "plan" = 'enterprise'`);
    await setUsed(world, {});
    await Promise.all(Array.from({ length: 40 }, () => write(newCustomer())));
    expect(await used(world)).toMatchObject({ messages: 40 });

    // The 41st answer is the first beyond 80 % of 51, whichever rows the others are in.
    await setLimits(world, { monthlyMessages: 51 });
    await write(newCustomer());
    await eventually(nearAlerts, (rows) => rows.length === 1);
    await setLimits(world, { monthlyMessages: 42 });
    const customers = [newCustomer(), newCustomer()];
    for (const customer of customers) await write(customer);
    expect((await Promise.all(customers.map(kindsTold))).flat()).toEqual(["reply", "quota_notice"]);
  });

  it("is of the tenant's month, which may begin before ours", async () => {
    await world.query(`UPDATE "Client" SET "timeZone" = 'Pacific/Kiritimati'`);
    await setUsed(world, { messages: LIMIT });
    const customer = newCustomer();
    await write(customer);
    const [month] = await world.query<{ here: string }>(
      `SELECT to_char(now() AT TIME ZONE 'Pacific/Kiritimati', 'YYYY-MM') AS "here"`,
    );
    await world.query(`UPDATE "Client" SET "timeZone" = 'Europe/London'`);
    expect(
      await world.query(
        `SELECT "quotaPeriod" FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId"
      WHERE c."phone" = $1`,
        [customer],
      ),
    ).toEqual([{ quotaPeriod: month?.here }]);
    expect(await kindsTold(customer)).toEqual(["quota_notice"]);
  });

  it("alerts once when an answer passes 80 % of the month", async () => {
    await setUsed(world, { messages: LIMIT * 0.8 - 2 });
    await write(newCustomer());
    expect(await nearAlerts()).toEqual([]);
    for (let text = 1; text <= 3; text += 1) await write(newCustomer());
    await eventually(nearAlerts, (rows) => rows.length === 1);
    expect(await nearAlerts()).toEqual([{ occurrences: 1 }]);
  });
});

describe("a customer of a tenant whose quota is used up", () => {
  let customer: string;
  beforeEach(async () => {
    customer = newCustomer();
    await setUsed(world, { messages: LIMIT });
    await write(customer);
  });

  it("is told once that day, and each text is stored", async () => {
    await write(customer, "Vous êtes là ?");
    const rows = await messagesWith(world, customer);
    expect(rows.map(({ kind, status }) => (status === "RECEIVED" ? kind : "told"))).toEqual([
      "text",
      "told",
      "text",
    ]);
  });

  it.each([
    [
      "a new month",
      `UPDATE "Usage" SET "period" = '2000-01'`,
      `UPDATE "Conversation" SET "quotaPeriod" = '2000-01'`,
    ],
    ["another plan", `UPDATE "Client" SET "plan" = 'pro'`],
    ["a higher limit", `UPDATE "Client" SET "limits" = '{"monthlyMessages": 5000}'`],
  ])("is answered again by itself: %s", async (_what, ...changes) => {
    for (const change of changes) await world.query(change);
    await write(customer, "Et maintenant ?");
    expect(await kindsTold(customer)).toEqual(["quota_notice", "reply"]);
    const [row] = await world.query(
      `SELECT "quotaBlocked" FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $1`,
      [customer],
    );
    expect(row).toEqual({ quotaBlocked: false });
  });

  it("is answered again by itself: other numbers of the plan", async () => {
    const { starter } = plans;
    plans.starter = { ...starter, monthlyMessages: LIMIT + 1 };
    await write(customer, "Et maintenant ?").finally(() => (plans.starter = starter));
    expect(await kindsTold(customer)).toEqual(["quota_notice", "reply"]);
  });

  it("reaches the operator with an emergency, by the script and uncounted; what they add follows", async () => {
    const before = await used(world);
    const id = await write(customer, GAS);
    expect(namesOf(eventsOf(gateway, id))).toEqual(
      expect.arrayContaining(["message_received", "job_upserted", "urgent_job_alerted"]),
    );
    await write(customer, "Le code de la porte est 4711");
    expect(world.simulator.modelCalls()).toEqual([]);
    expect(await used(world)).toEqual(before);
    expect(await kindsTold(customer)).toEqual(["quota_notice", "reply"]);
    const operator = await messagesWith(world, demoTenant.operatorPhone);
    expect(operator.filter(({ body }) => body.includes(customer)).map(({ kind }) => kind)).toEqual([
      "urgent_alert",
      "forwarded",
    ]);
    expect(operator.at(-1)?.body).toContain("4711");
  });
});

describe("a tenant whose quota is used up", () => {
  it("tells nothing to who wants no texts, and tells them when they do again", async () => {
    const customer = newCustomer();
    await write(customer, "STOP");
    await setUsed(world, { messages: LIMIT });
    await write(customer);
    expect(await toldTo(world, customer)).toEqual([]);
    await write(customer, "START");
    await write(customer);
    expect(await kindsTold(customer)).toEqual(["quota_notice"]);
  });

  it("has the words forwarded to the person who has taken over", async () => {
    const customer = newCustomer();
    await write(customer);
    await world.query(`UPDATE "Conversation" SET "humanUntil" = now() + interval '1 hour'`);
    await setUsed(world, { messages: LIMIT });
    await write(customer, "Est-ce que 15 h vous convient ?");
    await world.query(`UPDATE "Conversation" SET "humanUntil" = NULL`);
    const forwarded = await messagesWith(world, demoTenant.operatorPhone);
    expect(forwarded.at(-1)).toMatchObject({
      kind: "forwarded",
      body: expect.stringContaining("15 h"),
    });
  });
});

describe("an error while the limits are looked at", () => {
  it("alerts the founder when it goes on", async () => {
    const fresh = await world.startGateway();
    await world.query(`UPDATE "Client" SET "plan" = 'gold'`);
    for (let text = 1; text <= 5; text += 1)
      expect(await fresh.text({ from: newCustomer() })).toMatchObject({ status: 500 });
    await eventually(
      () => world.query(`SELECT 1 FROM "Alert" WHERE "type" = 'TRANSACTIONS_FAILING'`),
      (rows) => rows.length === 1,
    );
    await fresh.stop();
  });

  it.each([
    ["a time zone that does not exist", `UPDATE "Client" SET "timeZone" = 'Europe/Nowhere'`],
    ["a plan that nobody knows", `UPDATE "Client" SET "plan" = 'gold'`],
    [
      "limits that cannot be read",
      `UPDATE "Client" SET "limits" = '{"senderRate": {"max": 0, "windowSeconds": 5}}'`,
    ],
    ["limits under other names", `UPDATE "Client" SET "limits" = '{"maxMessages": 5000}'`],
    [
      "a rate under other names",
      `UPDATE "Client" SET "limits" = '{"senderRate": {"max": 9, "windowSeconds": 5, "perDay": 9}}'`,
    ],
  ])("is a 500 and writes nothing, never a block: %s", async (_what, change) => {
    const customer = newCustomer();
    await world.query(change);
    const answer = await gateway.text({
      from: customer,
      body: "Bonjour",
      sid: `SMerror${customer}`,
    });
    await world.query(
      `UPDATE "Client" SET "timeZone" = 'Europe/London', "plan" = 'starter', "limits" = '{}'`,
    );
    expect(answer).toMatchObject({ status: 500, body: "Message processing failed - will retry" });
    expect(await messagesWith(world, customer)).toEqual([]);
    await gateway.text({ from: customer, body: "Bonjour", sid: `SMerror${customer}` });
    expect(await kindsTold(customer)).toEqual(["reply"]);
  });
});
