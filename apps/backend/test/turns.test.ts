import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createWorld, textTo, type RunningGateway, type World } from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";
import { spawnGateway } from "./spawn-gateway.ts";

const TEXTS = Array.from({ length: 20 }, (_, index) => `detail ${index + 101} of my leaking pipe`);

/** One by one the 20 texts would take 20 s: more than their webhooks have. */
const MODEL_MS = 1000;

let world: World;
let one: RunningGateway;
let two: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  one = await world.startGateway();
  two = await world.startGateway();
});
beforeEach(() => {
  world.simulator.reset();
  world.simulator.setFaults({ modelDelayMs: MODEL_MS });
});
afterAll(() => world.close());

/** Sends all 20 at once, the first to the first gateway, the second to the second, and so on round. */
async function sendAll(customer: string, urls: string[]) {
  const answers = await Promise.all(
    TEXTS.map((body, index) =>
      textTo(world.simulator, urls[index % urls.length] ?? "", { from: customer, body }),
    ),
  );
  expect(answers.map((answer) => answer.status)).toEqual(TEXTS.map(() => 200));

  const rows = await settledMessagesWith(world, customer);
  const replies = rows.filter((row) => row.direction === "OUTBOUND");
  expect(
    rows
      .filter((row) => row.direction === "INBOUND")
      .map((row) => row.body)
      .toSorted(),
  ).toEqual(TEXTS);
  return { rows, replies };
}

type Rows = Awaited<ReturnType<typeof sendAll>>["rows"];

/** Each reply was asked for with exactly the texts in view that were committed before it; the last with all. */
function expectNothingIgnored(rows: Rows) {
  const shown = world.simulator
    .modelCalls()
    .filter((call) => call.outcome === "answered")
    .map((call) => seenIn(call.messages.map(({ content }) => content)));
  for (const [index, row] of rows.entries()) {
    if (row.direction === "INBOUND") continue;
    const committedBefore = rows.slice(0, index).filter(({ direction }) => direction === "INBOUND");
    expect(shown).toContainEqual(committedBefore.map(({ body }) => body).toSorted());
  }
  expect(rows.at(-1)?.direction).toBe("OUTBOUND");
  expect(shown).toContainEqual(TEXTS);
}

function seenIn(contents: string[]): string[] {
  return TEXTS.filter((text) => contents.includes(text));
}

function expectSentInOrder(customer: string, replies: Rows) {
  expect(world.simulator.sent({ to: customer }).map(({ sid }) => sid)).toEqual(
    replies.map((reply) => reply.providerMessageId),
  );
}

describe("20 texts of one customer at once", () => {
  it("cost one gateway a first turn and one that takes all the rest together", async () => {
    const customer = "+447123460001";
    const { rows, replies } = await sendAll(customer, [one.url]);
    expect(replies.length).toBeLessThanOrEqual(4);
    expectNothingIgnored(rows);
    expectSentInOrder(customer, replies);
  });

  it("cost two gateways a handful of turns, none of which ignores the other's", async () => {
    const customer = "+447123460002";
    const { rows, replies } = await sendAll(customer, [one.url, two.url]);
    expect(replies.length).toBeLessThanOrEqual(5);
    expectNothingIgnored(rows);
    expectSentInOrder(customer, replies);
  });

  it("cost two gateways no more when the customer is known to both already", async () => {
    const customer = "+447123460003";
    await one.text({ from: customer, body: "Hello" });
    await world.simulator.waitForSent(1, { to: customer });
    await world.query('DELETE FROM "Message" WHERE $1 IN ("sender", "recipient")', [customer]);
    world.simulator.reset();
    world.simulator.setFaults({ modelDelayMs: MODEL_MS });

    const { rows, replies } = await sendAll(customer, [one.url, two.url]);
    expect(replies.length).toBeLessThanOrEqual(5);
    expectNothingIgnored(rows);
    expectSentInOrder(customer, replies);
  });

  it("cost two processes a handful of turns, none of which ignores the other's", async () => {
    const customer = "+447123460004";
    const other = await spawnGateway(world);
    try {
      const { rows, replies } = await sendAll(customer, [one.url, other.url]);
      expect(replies.length).toBeLessThanOrEqual(5);
      expectNothingIgnored(rows);
      expectSentInOrder(customer, replies);
    } finally {
      other.process.kill("SIGTERM");
      await other.exited;
    }
  });
});
