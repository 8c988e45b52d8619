import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { CUSTOMER, createWorld, DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  gateway = await world.startGateway();
});
afterAll(() => world.close());

describe("a signed text to a tenant's number", () => {
  it("is stored, answered 200 text/xml, and replied to once through the outbox", async () => {
    const answer = await gateway.text({ sid: "SM0000000000000001" });
    expect(answer).toEqual({
      status: 200,
      contentType: expect.stringContaining("text/xml"),
      body: "<Response/>",
    });

    const [reply] = await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(reply).toMatchObject({ from: DEMO_NUMBER, to: CUSTOMER });
    const sent = await gateway.logged((line) => line.event === "message_sent");
    const rows = await world.query<{
      direction: string;
      status: string;
      providerMessageId: string;
    }>('SELECT direction, status, "providerMessageId" FROM "Message" ORDER BY position');
    expect(rows).toEqual([
      { direction: "INBOUND", status: "RECEIVED", providerMessageId: "SM0000000000000001" },
      { direction: "OUTBOUND", status: "SENT", providerMessageId: sent["providerMessageId"] },
    ]);
    expect(await world.query('SELECT "urgency" FROM "Job"')).toHaveLength(1);
  });

  it("carries one request id from the webhook to the reply that was sent", async () => {
    const events = gateway.log.filter(
      (line) => line.event !== undefined && !line.event.startsWith("alert"),
    );
    expect(events.map((line) => line.event)).toEqual([
      "message_received",
      "llm_request",
      "llm_request_completed",
      "job_upserted",
      "message_queued",
      "message_sent",
    ]);
    expect(new Set(events.map((line) => line["requestId"])).size).toBe(1);
  });
});
