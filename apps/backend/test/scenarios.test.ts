import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { plans } from "../src/limits/plans.ts";
import type { RunningGateway, World } from "./harness.ts";
import {
  CHECKLIST,
  createLimitsWorld,
  curl,
  eventsOf,
  namesOf,
  newCustomer,
  QUOTA_TEXT,
  RATE_TEXT,
  setUsed,
  toldTo,
  usageScans,
} from "./limits-world.ts";
import { countRows } from "./rows.ts";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createLimitsWorld();
  gateway = await world.startGateway(CHECKLIST);
});
beforeEach(async () => {
  world.simulator.reset();
  await setUsed(world, {});
});
afterAll(() => world.close());

/** Ways in: the checklist's curl, and the same text by SMS. */
const ways = [
  {
    way: "WhatsApp",
    write: async (from: string, id: string, body: string) => {
      const answer = await curl(gateway, { from: from.slice(1), id, body });
      expect(answer).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    },
  },
  {
    way: "SMS",
    write: async (from: string, sid: string, body: string) => {
      expect(await gateway.text({ from, sid, body })).toMatchObject({ status: 200 });
    },
  },
];

let ids = 0;
const newMessageId = () => `wamid.scenario-${(ids += 1)}`;
const useUp = () => setUsed(world, { messages: plans.starter.monthlyMessages });

describe.each(ways)("the go-live checklist by $way", ({ way, write }) => {
  it("A: a text within all limits is answered by the model", async () => {
    const [customer, id] = [newCustomer(), newMessageId()];
    await write(customer, id, "Bonjour, ceci est un test");
    if (way === "SMS") await world.simulator.waitForSent(1, { to: customer });
    expect(namesOf(eventsOf(gateway, id)).slice(0, 3)).toEqual([
      "message_received",
      "llm_request",
      "llm_request_completed",
    ]);
    expect(await toldTo(world, customer)).toMatchObject([{ kind: "reply" }]);
  });

  it("B: the first text over the quota is stored and flagged, told in French, and no model is asked", async () => {
    const [customer, id] = [newCustomer(), newMessageId()];
    await useUp();
    await write(customer, id, "Bonjour");
    expect(namesOf(eventsOf(gateway, id)).filter((name) => name !== "message_sent")).toEqual([
      "message_received",
      "quota_exceeded",
      "message_queued",
      "quota_exceeded_handled",
    ]);
    const { monthlyMessages: limit } = plans.starter;
    expect(eventsOf(gateway, id)).toContainEqual(
      expect.objectContaining({
        event: "quota_exceeded",
        reason: "monthly_messages",
        currentUsage: limit,
        limit,
      }),
    );
    expect(world.simulator.modelCalls()).toEqual([]);
    expect(await toldTo(world, customer)).toEqual([{ kind: "quota_notice", body: QUOTA_TEXT }]);
    const [flag] = await world.query(
      `SELECT v."quotaBlocked" FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $1`,
      [customer],
    );
    expect(flag).toEqual({ quotaBlocked: true });
  });

  it("C: a text after that is blocked by the flag, and the next day told the same", async () => {
    const [customer, today, tomorrow] = [newCustomer(), newMessageId(), newMessageId()];
    await useUp();
    await write(customer, newMessageId(), "Bonjour");
    await write(customer, today, "Vous êtes là ?");
    const handled = ["quota_blocked_cached", "quota_exceeded_handled"];
    expect(namesOf(eventsOf(gateway, today))).toEqual(["message_received", ...handled]);
    expect(await toldTo(world, customer)).toHaveLength(1);

    await world.query(`UPDATE "Conversation" SET "quotaToldOn" = '2000-01-01'`);
    await write(customer, tomorrow, "Et maintenant ?");
    const names = namesOf(eventsOf(gateway, tomorrow));
    expect(names.filter((name) => name?.startsWith("quota"))).toEqual(handled);
    const notice = { kind: "quota_notice", body: QUOTA_TEXT };
    expect(await toldTo(world, customer)).toEqual([notice, notice]);
    expect(world.simulator.modelCalls()).toEqual([]);
  });

  it("D: of ten texts in a few seconds the first five are answered, and the sixth is told so once", async () => {
    const customer = newCustomer();
    const texts = Array.from({ length: 10 }, newMessageId);
    for (const [index, id] of texts.entries()) await write(customer, id, `Message rapide ${index}`);
    const limited = texts.map((id) =>
      eventsOf(gateway, id).find(({ event }) => event === "rate_limited"),
    );
    expect(limited.slice(0, 5)).toEqual(Array.from({ length: 5 }));
    expect(limited.slice(5)).toMatchObject(
      [6, 7, 8, 9, 10].map((currentCount) => ({
        scope: "conversation",
        currentCount,
        limit: 5,
        windowSeconds: 30,
        alreadyNotified: currentCount > 6,
      })),
    );
    expect(
      namesOf(eventsOf(gateway, texts[5] ?? "")).filter((name) => name !== "message_sent"),
    ).toEqual(["message_received", "rate_limited", "message_queued", "rate_limit_reply_sent"]);
    for (const id of texts.slice(6))
      expect(namesOf(eventsOf(gateway, id))).toEqual(["message_received", "rate_limited"]);
    const told = await toldTo(world, customer);
    expect(told.map(({ kind }) => kind)).toEqual([...Array(5).fill("reply"), "rate_notice"]);
    expect(told.at(-1)?.body).toBe(RATE_TEXT);
    expect(world.simulator.modelCalls()).toHaveLength(5);
  });

  it("E: the same message id again is dropped, and nothing is done", async () => {
    const [customer, id] = [newCustomer(), newMessageId()];
    await write(customer, id, "Test idempotence");
    const rows = await countRows(world);
    const before = eventsOf(gateway, id).filter(({ event }) => event !== "message_sent").length;
    await write(customer, id, "Test idempotence");
    const again = eventsOf(gateway, id).filter(({ event }) => event !== "message_sent");
    expect(namesOf(again.slice(before))).toEqual(["message_received", "duplicate_message_dropped"]);
    expect(await countRows(world)).toEqual(rows);
    expect(world.simulator.modelCalls()).toHaveLength(1);
  });
});

it("after the first refusal neither the database is asked for the quota nor the model for an answer", async () => {
  const write = async (phone: string) =>
    expect(await gateway.text({ from: phone, body: "Bonjour" })).toMatchObject({ status: 200 });
  const customer = newCustomer();
  await useUp();
  await write(customer);
  await gateway.stop();
  const before = await usageScans(world);

  gateway = await world.startGateway(CHECKLIST);
  for (let text = 1; text <= 4; text += 1) await write(customer);
  await gateway.stop();
  expect(await usageScans(world)).toBe(before);

  gateway = await world.startGateway(CHECKLIST);
  await write(newCustomer());
  await gateway.stop();
  expect(await usageScans(world)).toBeGreaterThan(before);
  expect(world.simulator.modelCalls()).toEqual([]);
  gateway = await world.startGateway(CHECKLIST);
});
