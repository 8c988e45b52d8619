import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { messagesEntry, serializeAsMeta, type ModelCall } from "@jobrun/simulator";
import { eventually } from "./eventually.ts";
import type { RunningGateway, World } from "./harness.ts";
import { createWhatsAppWorld, postAsMeta, startWhatsAppGateway } from "./whatsapp-world.ts";

const SENDERS = 120;
const PER_SENDER = 2.5;
const FAILING = [7, 130, 250];
/** What stands in the place of these: no message, no object, no sender, no words, no type. */
const MALFORMED = new Map<number, (intact: Message) => unknown>([
  [20, () => null],
  [60, () => "a message?"],
  [100, (intact) => ({ ...intact, from: undefined })],
  [140, (intact) => ({ ...intact, text: { body: 17 } })],
  [180, (intact) => ({ ...intact, type: undefined, text: undefined, hologram: {} })],
]);
const UNROUTABLE = 3;
/** Long enough for those that begin together to be seen together. */
const MODEL_MS = 150;

interface Message {
  from: string;
  id: string;
  timestamp: string;
  type: string;
  text: { body: string };
}

let world: World;
let gateway: RunningGateway;

beforeEach(async () => {
  world = await createWhatsAppWorld();
});
afterEach(() => world.close());

const senderOf = (index: number) => `44712380${String(index % SENDERS).padStart(4, "0")}`;

function message(index: number): Message {
  const failing = FAILING.includes(index) ? " on the broken floor" : "";
  return {
    from: senderOf(index),
    id: `wamid.batch${index}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: "text",
    text: { body: `Text ${index}${failing}` },
  };
}

/** One envelope of several entries, the first with several changes. */
function envelopeOf(messages: unknown[]): string {
  const parts = Array.from({ length: 5 }, (_, part) =>
    messages.slice((part * messages.length) / 5, ((part + 1) * messages.length) / 5),
  );
  const entries = parts.map((part) => messagesEntry(world.simulator.whatsApp, part, "Customer"));
  const [first, second, ...more] = entries as { id: string; changes: unknown[] }[];
  const joined = { ...first, changes: [...(first?.changes ?? []), ...(second?.changes ?? [])] };
  return serializeAsMeta({ object: "whatsapp_business_account", entry: [joined, ...more] });
}

interface Stored {
  index: number;
  sender: string;
  type: string;
  hasPayload: boolean;
  status: string;
}

async function stored(): Promise<Stored[]> {
  const rows = await world.query<Omit<Stored, "index"> & { id: string }>(
    `SELECT "waMessageId" AS "id", "sender", "type", "payload" IS NOT NULL AS "hasPayload", "status"
     FROM "Message" WHERE "direction" = 'INBOUND' ORDER BY "position"`,
  );
  return rows.map(({ id, ...row }) => ({ index: Number(id.replace("wamid.batch", "")), ...row }));
}

async function count(table: string, where = "true"): Promise<number> {
  const [row] = await world.query<{ count: number }>(
    `SELECT count(*)::int AS "count" FROM "${table}" WHERE ${where}`,
  );
  return row?.count ?? 0;
}

/** Most requests to the model under way at once, each of which takes MODEL_MS. */
function atOnce(calls: ModelCall[]): number {
  const starts = calls.map(({ at }) => at);
  return Math.max(
    ...starts.map((start) => starts.filter((at) => at <= start && at > start - MODEL_MS).length),
  );
}

function expectOrderPerSender(rows: Stored[]): void {
  for (let sender = 0; sender < SENDERS; sender += 1) {
    const own = rows.filter((row) => row.index % SENDERS === sender).map(({ index }) => index);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
}

describe("a webhook of 300 messages of 120 senders", () => {
  it("commits all that it can, answers 500, and its repeat completes it without doubling anything", async () => {
    gateway = await startWhatsAppGateway(world, { WEBHOOK_DEADLINE_MS: "60000" });
    world.simulator.setFaults({ modelDelayMs: MODEL_MS, modelFailsOn: ["broken"] });
    const all = Array.from({ length: SENDERS * PER_SENDER }, (_, index) => index);
    const body = envelopeOf(
      all.map((index) => (MALFORMED.get(index) ?? ((intact) => intact))(message(index))),
    );

    const first = await postAsMeta(gateway, world.simulator, body);
    expect(first.status).toBe(500);
    // After one that failed, none of its sender is taken: 127 and 247 after 7, 250 after 130.
    const heldBack = new Set([7, 127, 247, 130, 250]);
    const unroutable = new Set([20, 60, 100]);
    const expected = all.filter((index) => !heldBack.has(index) && !unroutable.has(index));
    const after = await stored();
    expect(after.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(expected);
    expectOrderPerSender(after);
    for (const index of [140, 180])
      expect(after.find((row) => row.index === index)).toMatchObject({
        type: "unknown",
        hasPayload: true,
      });
    expect(await count("UnroutedMessage", `"payload" IS NOT NULL`)).toBe(UNROUTABLE);
    expect(await count("Message", `"direction" = 'OUTBOUND'`)).toBe(expected.length);

    world.simulator.setFaults({ modelFailsOn: [] });
    const repeat = await postAsMeta(gateway, world.simulator, body);
    expect(repeat.status).toBe(200);
    const complete = await stored();
    expect(complete.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(
      all.filter((index) => !unroutable.has(index)),
    );
    expectOrderPerSender(complete);
    expect(await count("UnroutedMessage")).toBe(UNROUTABLE);
    expect(await count("Customer")).toBe(SENDERS);
    expect(await count("Message", `"direction" = 'OUTBOUND' AND "kind" = 'reply'`)).toBe(
      complete.length,
    );
    const sent = await world.simulator.whatsApp.waitForSent(complete.length, {}, 20_000);
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(complete.length);
    const third = await postAsMeta(gateway, world.simulator, body);
    expect(third.status).toBe(200);
    expect(await count("Message")).toBe(2 * complete.length);

    const most = atOnce(world.simulator.modelCalls());
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThanOrEqual(8);
  }, 90_000);

  it("stores what its deadline does not reach as deferred, answers 200, and answers those later", async () => {
    gateway = await startWhatsAppGateway(world, { WEBHOOK_DEADLINE_MS: "6000" });
    world.simulator.setFaults({ modelDelayMs: 2500 });
    const all = Array.from({ length: 40 }, (_, index) => index);
    const answer = await postAsMeta(gateway, world.simulator, envelopeOf(all.map(message)));
    expect(answer.status).toBe(200);
    const rows = await stored();
    expect(rows.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(all);
    expect(rows.some(({ status }) => status === "DEFERRED")).toBe(true);
    expect(rows.some(({ status }) => status === "RECEIVED")).toBe(true);
    world.simulator.setFaults({ modelDelayMs: 0 });
    await eventually(stored, (now) => now.every(({ status }) => status === "RECEIVED"));
    expect(await count("Message", `"kind" = 'reply'`)).toBe(all.length);
  }, 40_000);
});
