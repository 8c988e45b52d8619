import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import { createWorld, type LogLine, type World } from "./harness.ts";

let world: World;
let log: LogLine[];
let events: LogLine[];

beforeAll(async () => {
  world = await createWorld();
  const gateway = await world.startGateway();
  const { simulator } = world;
  await gateway.text({ sid: "SMorder1" });
  await gateway.text({ sid: "SMorder1" });
  simulator.setFaults({ model: { kind: "error", status: 500 } });
  await gateway.text({ sid: "SMorder2", from: "+447700900202" });
  simulator.setFaults({ model: { kind: "invalid-output", times: 1 } });
  await gateway.text({ sid: "SMorder3", from: "+447700900203" });
  await gateway.text({ sid: "SMorder3", from: "+447700900203" });
  await Promise.all(
    ["a", "b", "c"].map((id) => gateway.text({ sid: `SMorder4${id}`, from: "+447700900204" })),
  );
  // What is queued when a gateway stops is left to the next one.
  await eventually(
    async () => gateway.log.filter(({ event }) => event === "message_sent").length,
    (count) => count > 2,
  );
  await gateway.stop();
  log = gateway.log;
  events = log.filter((line) => line.event !== undefined);
});
afterAll(() => world.close());

function of(event: string): LogLine[] {
  return events.filter((line) => line.event === event);
}

it("every attempt to ask the model ends as completed or failed, in order", () => {
  const byRequest = Map.groupBy(
    events.filter((line) => line.event?.startsWith("llm_")),
    (line) => line["requestId"],
  );
  expect(byRequest.size).toBeGreaterThan(3);
  for (const lines of byRequest.values()) {
    const order = lines.map((line) => (line.event === "llm_request" ? "asked" : "ended"));
    expect(order).toEqual(lines.map((_line, index) => (index % 2 === 0 ? "asked" : "ended")));
    expect(order.at(-1)).toBe("ended");
  }
});

it("nothing is asked, queued or sent on behalf of a duplicate", () => {
  const dropped = of("duplicate_message_dropped");
  expect(dropped).toHaveLength(1);
  for (const { requestId } of dropped)
    expect(
      events.filter((line) => line["requestId"] === requestId).map((line) => line.event),
    ).toEqual(["message_received", "duplicate_message_dropped"]);
});

it("of texts that were written at once each one's trace leads to the reply", () => {
  const received = of("message_received").filter(({ providerMessageId }) =>
    String(providerMessageId).startsWith("SMorder4"),
  );
  expect(received).toHaveLength(3);
  const queued = of("message_queued").map(({ requestId }) => requestId);
  for (const { requestId } of received) {
    const trace = log.filter((line) => line["requestId"] === requestId);
    const turns = trace.map((line) => line["turnRequestId"]).filter((id) => id !== undefined);
    expect(queued).toContain(turns.at(-1) ?? requestId);
  }
});

it("what was announced as sent has a row that says so", async () => {
  const ids = of("message_sent").map((line) => line["messageId"]);
  expect(ids.length).toBeGreaterThan(2);
  const rows = await world.query(
    `SELECT 1 FROM "Message" WHERE id = ANY($1::uuid[]) AND status = 'SENT' AND "providerMessageId" IS NOT NULL`,
    [ids],
  );
  expect(rows).toHaveLength(ids.length);
});
