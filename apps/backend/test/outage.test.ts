import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import type { SentMessage, WebhookResult } from "@jobrun/simulator";
import { expectedWebhooks } from "../src/numbers/provision.ts";
import { eventually } from "./eventually.ts";
import { createWorld, DEMO_NUMBER, type LogLine, type World } from "./harness.ts";
import { messagesWith } from "./rows.ts";

const HOLDING = "Thanks, we have your message and will be back to you shortly.";
const OPERATOR = demoTenant.operatorPhone;

/** The model is down from minute 0 to minute 10. Customers write at these minutes. */
const WAVES = [0, 3, 6, 9];
const MODEL_BACK = 10;
/** So that some of the texts wait too long within the ten minutes, and some do not. */
const ALERT_MINUTES = 5;

interface CustomerText {
  minute: number;
  from: string;
  sid: string;
  body: string;
}

/** In each wave ten new customers, one of whom writes two texts at once, and four who write again. */
const texts: CustomerText[] = WAVES.flatMap((minute, wave) => {
  const first = wave * 10;
  const fresh = Array.from({ length: 10 }, (_, index) => first + index);
  const again = wave === 0 ? [] : [first - 4, first - 3, first - 2, first - 1];
  return [...fresh, ...again, first].map((person) => ({ minute, from: phoneOf(person) }));
}).map((text, index) => ({
  ...text,
  sid: `SMoutage${index}`,
  body: `My kitchen tap number ${index} drips`,
}));
const customers = [...new Set(texts.map(({ from }) => from))];

let world: World;
let publicUrl: string;
const webhooks = new Map<string, WebhookResult>();
/** What the operator had been sent by the end of each minute's traffic. */
const toldBy = new Map<number, string[]>();
/** All that had been sent when the model came back. */
let sentBefore: SentMessage[];
let events: LogLine[];

beforeAll(async () => {
  world = await createWorld();
  const port = await freePort();
  // Twilio's requests are signed for the URL it calls, so the gateway must know its port beforehand.
  publicUrl = `http://127.0.0.1:${port}`;
  world.simulator.addNumber(DEMO_NUMBER, expectedWebhooks(publicUrl));
  const gateway = await world.startGateway({
    PORT: String(port),
    PUBLIC_BASE_URL: publicUrl,
    DEFERRED_OPERATOR_ALERT_MINUTES: String(ALERT_MINUTES),
  });

  world.simulator.setFaults({ model: { kind: "error", status: 500 } });
  for (const [wave, minute] of WAVES.entries()) {
    await untilTold(minute);
    await Promise.all(textsOf(minute).map(writeToGateway));
    await untilAllSent();
    toldBy.set(minute, told());
    await passTime((WAVES[wave + 1] ?? MODEL_BACK) - minute);
  }
  await untilTold(MODEL_BACK);
  await untilAllSent();
  toldBy.set(MODEL_BACK, told());
  sentBefore = world.simulator.sent();

  world.simulator.setFaults({ model: { kind: "none" } });
  // The next tries are due within five minutes; here they are due at once.
  await world.query(`UPDATE "Message" SET "dueAt" = now() WHERE "status" = 'DEFERRED'`);
  await eventually(
    () => world.query(`SELECT 1 FROM "Message" WHERE "status" = 'DEFERRED'`),
    (rows) => rows.length === 0,
  );
  await untilAllSent();
  await gateway.stop();
  events = gateway.log.filter(({ event }) => event !== undefined);
}, 120_000);
afterAll(() => world.close());

it("each webhook and its two retries get a 500, and the fallback takes the text", () => {
  expect(webhooks.size).toBe(texts.length);
  for (const { attempts } of webhooks.values())
    expect(attempts.map(({ url, status }) => [url, status])).toEqual([
      [`${publicUrl}/sms`, 500],
      [`${publicUrl}/sms`, 500],
      [`${publicUrl}/sms`, 500],
      [`${publicUrl}/sms/fallback`, 200],
    ]);
});

it("while the model is down each customer is sent one holding text and nothing else", () => {
  const toCustomers = sentBefore.filter(({ to }) => to !== OPERATOR);
  expect(toCustomers.map(({ to }) => to).toSorted()).toEqual(customers.toSorted());
  expect(new Set(toCustomers.map(({ body }) => body))).toEqual(new Set([HOLDING]));
});

it("the operator is told of each text that waits too long, in time, once, and of no other", () => {
  for (const minute of [...WAVES, MODEL_BACK])
    expect(toldBy.get(minute)?.toSorted()).toEqual(tooLongAt(minute).map(alertOf).toSorted());
  expect(tooLongAt(MODEL_BACK).map(({ minute }) => minute)).toContain(3);
  expect(tooLongAt(MODEL_BACK).length).toBeLessThan(texts.length);
  expect(told()).toEqual(toldBy.get(MODEL_BACK));
});

it("when it is back each customer gets one reply that has seen all their texts", () => {
  const answered = world.simulator.modelCalls().filter(({ outcome }) => outcome === "answered");
  for (const customer of customers) {
    const sent = world.simulator.sent({ to: customer }).map(({ body }) => body);
    const own = texts.filter(({ from }) => from === customer).map(({ body }) => body);
    expect(sent).toEqual([HOLDING, expect.stringContaining("Thanks, we have it: ")]);
    expect(own.filter((body) => sent[1]?.includes(body))).toHaveLength(1);
    // The last call counts: a turn that began before the second text was stored asks once more.
    const shown = answered.map(({ messages }) => messages.map(({ content }) => content));
    const last = shown.findLast((contents) => own.some((body) => contents.includes(body)));
    expect(last).toEqual(expect.arrayContaining(own));
  }
});

it("each text is stored once and nothing is left to do", async () => {
  const rows = await world.query<{ direction: string; status: string; providerMessageId: string }>(
    `SELECT "direction", "status", "providerMessageId" FROM "Message"`,
  );
  const inbound = rows.filter(({ direction }) => direction === "INBOUND");
  const sids = (list: { providerMessageId: string }[]) =>
    list.map((row) => row.providerMessageId).toSorted();
  expect(sids(inbound)).toEqual(texts.map(({ sid }) => sid).toSorted());
  expect(new Set(inbound.map(({ status }) => status))).toEqual(new Set(["RECEIVED"]));
  const outbound = rows.filter(({ direction }) => direction === "OUTBOUND");
  expect(outbound).toHaveLength(world.simulator.sent().length);
  expect(new Set(outbound.map(({ status }) => status))).toEqual(new Set(["SENT"]));
});

it("the events of each text tell this in order: three failures, then deferred", () => {
  const tries = ["message_received", "transaction_failed"];
  for (const { sid } of texts)
    expect(
      events
        .filter((line) => line["providerMessageId"] === sid && !line.event?.startsWith("llm_"))
        .map(({ event }) => event),
    ).toEqual([...tries, ...tries, ...tries, "message_received", "message_deferred"]);
});

it("the events of each customer go on under a deferred text's request id: held, answered, sent", async () => {
  const lastFailure = events.findLastIndex(({ event }) => event === "transaction_failed");
  expect(events.findIndex(({ event }) => event === "llm_request_completed")).toBeGreaterThan(
    lastFailure,
  );
  for (const customer of customers) {
    const rows = await messagesWith(world, customer);
    const idOf = (kind: string) => rows.find((row) => row.kind === kind)?.id;
    const held = onlyIndex("message_sent", { messageId: idOf("holding") });
    const queued = onlyIndex("message_queued", { messageId: idOf("reply") });
    const sent = onlyIndex("message_sent", { messageId: idOf("reply") });
    const heldFor = onlyIndex("message_deferred", { requestId: events[held]?.["requestId"] });
    const requestId = events[queued]?.["requestId"];
    const asked = onlyIndex("message_deferred", { requestId });
    const answered = events.findLastIndex(
      (line) => line.event === "llm_request_completed" && line["requestId"] === requestId,
    );
    const order = [heldFor, held, answered, queued, sent];
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(asked).toBeLessThan(answered);
    expect(events[sent]).toMatchObject({ requestId });
  }
});

function phoneOf(person: number): string {
  return `+4471234${String(56_000 + person)}`;
}

function textsOf(minute: number): CustomerText[] {
  return texts.filter((text) => text.minute === minute);
}

function tooLongAt(minute: number): CustomerText[] {
  return texts.filter((text) => minute - text.minute > ALERT_MINUTES);
}

function alertOf({ from, body }: CustomerText): string {
  return `Not answered yet: ${from} wrote "${body}". Please reply to them directly.`;
}

function told(): string[] {
  return world.simulator.sent({ to: OPERATOR }).map(({ body }) => body);
}

async function writeToGateway({ from, sid, body }: CustomerText): Promise<void> {
  webhooks.set(sid, await world.simulator.text({ from, to: DEMO_NUMBER, sid, body }));
}

async function untilTold(minute: number): Promise<void> {
  await world.simulator.waitForSent(tooLongAt(minute).length, { to: OPERATOR }, 25_000);
}

async function untilAllSent(): Promise<void> {
  await eventually(
    () => world.query(`SELECT 1 FROM "Message" WHERE "status" IN ('QUEUED', 'SENDING')`),
    (rows) => rows.length === 0,
  );
}

/**
 * The database's clock decides how long a text has waited and when it is tried next, so for a text
 * that waits, older times in its row are the same as minutes that pass, and cost no minutes.
 */
async function passTime(minutes: number): Promise<void> {
  await world.query(
    `UPDATE "Message" SET "createdAt" = "createdAt" - make_interval(mins => $1), "dueAt" = "dueAt" - make_interval(mins => $1)
     WHERE "status" = 'DEFERRED'`,
    [minutes],
  );
}

function onlyIndex(event: string, fields: Record<string, unknown>): number {
  const fits = (line: LogLine) =>
    line.event === event && Object.entries(fields).every(([key, value]) => line[key] === value);
  expect(events.filter(fits)).toHaveLength(1);
  return events.findIndex(fits);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
