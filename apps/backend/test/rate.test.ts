import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import type { RunningGateway, World } from "./harness.ts";
import {
  CHECKLIST,
  createLimitsWorld,
  curl,
  eventsOf,
  namesOf,
  newCustomer,
  RATE_TEXT,
  setLimits,
  toldTo,
} from "./limits-world.ts";
import { messagesWith } from "./rows.ts";

const GAS = "Il y a une forte odeur de gaz, 12 rue Haute";

let world: World;
let gateway: RunningGateway;
let sids = 0;

beforeAll(async () => {
  world = await createLimitsWorld();
  await world.query(`UPDATE "Client" SET "plan" = 'enterprise'`);
  gateway = await world.startGateway(CHECKLIST);
});
beforeEach(async () => {
  world.simulator.reset();
  await setLimits(world, {});
});
afterAll(() => world.close());

async function write(from: string, body = "Bonjour"): Promise<string> {
  const sid = `SMrate${(sids += 1)}`;
  expect(await gateway.text({ from, body, sid })).toMatchObject({ status: 200 });
  return sid;
}

async function writeTimes(count: number, from: string, body?: string): Promise<void> {
  for (let text = 1; text <= count; text += 1) await write(from, body);
}

const kindsTold = async (phone: string) => (await toldTo(world, phone)).map(({ kind }) => kind);

const limitedBy = (id: string) =>
  eventsOf(gateway, id).find(({ event }) => event === "rate_limited") ?? null;

/** The database's clock cannot be set: older rows are the same to it as time that has passed. */
function timePasses(phone: string, seconds: number): Promise<unknown> {
  return world.query(
    `UPDATE "Message" SET "createdAt" = "createdAt" - make_interval(secs => $2) WHERE $1 IN ("sender", "recipient")`,
    [phone, seconds],
  );
}

describe("a customer who writes too much", () => {
  it("is answered again when the window has passed, and told again in the next", async () => {
    const customer = newCustomer();
    await writeTimes(6, customer);
    await timePasses(customer, 30);
    await writeTimes(6, customer);
    const window = [...Array(5).fill("reply"), "rate_notice"];
    expect(await kindsTold(customer)).toEqual([...window, ...window]);
  });

  it("is over the limit however the burst arrives, and the model is not shown what is", async () => {
    const customer = newCustomer();
    const bodies = Array.from({ length: 9 }, (_, index) => `détail ${index + 1}`);
    world.simulator.setFaults({ modelDelayMs: 200 });
    await Promise.all(bodies.map((body) => write(customer, body)));
    const rows = await messagesWith(world, customer);
    const written = rows.filter(({ direction }) => direction === "INBOUND").map(({ body }) => body);
    expect(written.toSorted()).toEqual(bodies);
    const seen =
      world.simulator
        .modelCalls()
        .at(-1)
        ?.messages.map(({ content }) => content) ?? [];
    expect(written.filter((body) => seen.includes(body))).toEqual(written.slice(0, 5));
    const events = gateway.log.filter(({ event }) => event === "rate_limited").slice(-4);
    expect(events.map((line) => line["alreadyNotified"])).toEqual([false, true, true, true]);
    expect((await kindsTold(customer)).filter((kind) => kind === "rate_notice")).toHaveLength(1);
  });

  it("is limited across channels by what they send in all, and told once", async () => {
    const customer = newCustomer();
    await setLimits(world, { senderRate: { max: 4, windowSeconds: 60 } });
    await writeTimes(3, customer);
    const ids = ["a", "b", "c"].map((name) => `wamid.rate-${name}`);
    for (const id of ids) await curl(gateway, { from: customer.slice(1), id, body: "Bonjour" });
    expect(limitedBy(ids[0] ?? "")).toBeNull();
    expect(limitedBy(ids[1] ?? "")).toMatchObject({
      scope: "sender",
      currentCount: 5,
      limit: 4,
      windowSeconds: 60,
      alreadyNotified: false,
    });
    const bySms = await write(customer);
    expect(limitedBy(bySms)).toMatchObject({ scope: "sender", alreadyNotified: true });
    expect((await kindsTold(customer)).filter((kind) => kind === "rate_notice")).toHaveLength(1);
  });

  it("does not limit others of the same tenant", async () => {
    const [one, other] = [newCustomer(), newCustomer()];
    await writeTimes(6, one);
    expect(limitedBy(await write(other))).toBeNull();
  });

  it("is told nothing when they want no texts, and their STOP counts whatever the rate", async () => {
    const customer = newCustomer();
    await writeTimes(5, customer);
    const id = await write(customer, "STOP");
    expect(limitedBy(id)).toBeNull();
    const limited = await write(customer, "Bonjour");
    expect(limitedBy(limited)).toMatchObject({ alreadyNotified: false });
    expect(await kindsTold(customer)).toEqual(Array(5).fill("reply"));
  });

  it("is counted by how many there are, not by who of two gateways has them", async () => {
    const customer = newCustomer();
    const other = await world.startGateway(CHECKLIST);
    for (let text = 0; text < 8; text += 1)
      await (text % 2 === 0 ? gateway : other).text({ from: customer, body: "Bonjour" });
    await other.stop();
    expect(await kindsTold(customer)).toEqual([...Array(5).fill("reply"), "rate_notice"]);
  });
});

describe("an emergency over the limit", () => {
  const operatorsTexts = async (about: string) =>
    (await messagesWith(world, demoTenant.operatorPhone))
      .filter(({ body }) => body.includes(about))
      .map(({ kind }) => kind);

  it("still makes the urgent job, by the script; more of it is forwarded", async () => {
    const customer = newCustomer();
    await writeTimes(6, customer);
    const calls = world.simulator.modelCalls().length;
    const id = await write(customer, GAS);
    expect(namesOf(eventsOf(gateway, id))).toEqual(
      expect.arrayContaining(["rate_limited", "job_upserted", "urgent_job_alerted"]),
    );
    expect(await operatorsTexts(customer)).toEqual(["urgent_alert"]);
    expect((await kindsTold(customer)).slice(-2)).toEqual(["rate_notice", "reply"]);

    await write(customer, "L'odeur de gaz est de plus en plus forte");
    expect(await operatorsTexts(customer)).toEqual(["urgent_alert", "forwarded"]);
    expect((await kindsTold(customer)).slice(-2)).toEqual(["rate_notice", "reply"]);
    expect(world.simulator.modelCalls()).toHaveLength(calls);
  });
});

describe("texts over the limit while a person has taken over", () => {
  it("reach that person, and the customer is told", async () => {
    const customer = newCustomer();
    await writeTimes(5, customer);
    await world.query(`UPDATE "Conversation" SET "humanUntil" = now() + interval '1 hour'`);
    await write(customer, "Le portail est vert");
    await world.query(`UPDATE "Conversation" SET "humanUntil" = NULL`);
    const forwarded = await messagesWith(world, demoTenant.operatorPhone);
    expect(forwarded.at(-1)).toMatchObject({
      kind: "forwarded",
      body: expect.stringContaining("vert"),
    });
    expect((await toldTo(world, customer)).at(-1)).toEqual({
      kind: "rate_notice",
      body: RATE_TEXT,
    });
  });
});

it("a text that waited for its answer is counted at the time at which it came", async () => {
  const customer = newCustomer();
  world.simulator.setFaults({ model: { kind: "error", status: 500 } });
  for (let text = 0; text < 5; text += 1)
    await gateway.text({ from: customer, body: `panne ${text}`, path: "/sms/fallback" });
  await timePasses(customer, 31);
  world.simulator.setFaults({ model: { kind: "none" } });
  expect(limitedBy(await write(customer, "panne 5"))).toBeNull();
  const seen =
    world.simulator
      .modelCalls()
      .at(-1)
      ?.messages.map(({ content }) => content) ?? [];
  expect(seen.filter((content) => content.startsWith("panne"))).toHaveLength(6);
});
