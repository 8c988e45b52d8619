import { Writable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import { createEvents, eventRegistry, type EventFields } from "./events.ts";
import { createLogger } from "./logger.ts";

function capture({ strict }: { strict: boolean }) {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const logger = createLogger({ level: "info", pretty: false, stream });
  return { events: createEvents({ logger, strict }), lines };
}

const received = { requestId: "r1", from: "+44*****0456", to: "+44*****4321", channel: "sms" };

describe("an event", () => {
  it("is a log line with its name, its correlation ids and its fields", () => {
    const { events, lines } = capture({ strict: true });
    events.emit("message_received", { ...received, tenantId: "t1", conversationId: null });
    expect(lines).toEqual([
      {
        time: expect.any(String),
        level: "info",
        message: "message_received",
        event: "message_received",
        ...received,
        tenantId: "t1",
      },
    ]);
  });

  it("keeps the texts that people grep for", () => {
    const { events, lines } = capture({ strict: true });
    events.emit("duplicate_message_dropped", { requestId: "r1" });
    events.emit("transaction_failed", { requestId: "r1", errorClass: "Error" });
    expect(lines).toMatchObject([
      { level: "info", message: "DUPLICATE: Message already processed" },
      { level: "error", message: "CRITICAL: Message processing transaction failed" },
    ]);
  });

  it.each([
    ["a missing requestId", { from: "***", to: "***", channel: "sms" }],
    ["a field the schema does not know", { ...received, body: "my tap leaks" }],
    ["an address that is not masked", { ...received, from: "+447700900456" }],
  ])("is refused for %s, without repeating the value", (_problem, fields) => {
    const wrong = fields as EventFields<"message_received">;
    const { events } = capture({ strict: true });
    expect(() => events.emit("message_received", wrong)).toThrow(
      /^(?!.*(tap|7700900456)).*message_received is invalid/,
    );

    const production = capture({ strict: false });
    production.events.emit("message_received", wrong);
    expect(production.lines).toMatchObject([
      { level: "error", event: "event_invalid", invalidEvent: "message_received" },
    ]);
    expect(JSON.stringify(production.lines)).not.toMatch(/tap|7700900456/);
  });

  it("of every name carries the request id", () => {
    for (const { schema } of Object.values(eventRegistry)) {
      const problems = schema.safeParse({}).error?.issues.map((issue) => issue.path.join("."));
      expect(problems).toContain("requestId");
    }
  });
});
