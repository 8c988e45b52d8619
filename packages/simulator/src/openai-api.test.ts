import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startSimulator } from "./index.ts";
import type { Simulator } from "./index.ts";

const CONVERSATION = [
  { role: "system", content: "You answer for a plumber." },
  { role: "user", content: "I need a plumber today" },
  { role: "assistant", content: "Where are you?" },
  { role: "user", content: "Leeds. Water is coming through the ceiling, it's a burst pipe!" },
];

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await simulator.close();
});

interface Completion {
  choices: { message: { content: string | null; refusal: string | null } }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

async function ask(key = simulator.openaiKey, messages = CONVERSATION) {
  const response = await fetch(`${simulator.openaiUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages, response_format: { type: "json_schema" } }),
  });
  return { status: response.status, body: (await response.json()) as Completion };
}

describe("chat completions", () => {
  it("answers with the structured reply, the same for the same conversation", async () => {
    const { body } = await ask();
    const content = body.choices[0]?.message.content ?? "";
    expect(JSON.parse(content)).toEqual({
      text: expect.stringMatching(/^Thanks, we have it: Leeds\. Water .*Where are you/),
      intent: "job_request",
      urgency: "emergency",
      job: {
        summary: expect.stringContaining("Leeds"),
        type: "plumbing",
        location: null,
        requestedTime: null,
        customerName: null,
      },
      needsHuman: false,
    });
    expect(body.usage.total_tokens).toBe(body.usage.prompt_tokens + body.usage.completion_tokens);
    expect((await ask()).body.choices[0]?.message.content).toBe(content);
  });

  it("records what the model was shown", async () => {
    await ask();
    expect(simulator.modelCalls()).toEqual([
      {
        apiKey: simulator.openaiKey,
        messages: CONVERSATION,
        at: expect.any(Number),
        outcome: "answered",
      },
    ]);
  });

  it("refuses a wrong key as OpenAI does", async () => {
    const { status, body } = await ask("sk-wrong");
    expect(status).toBe(401);
    expect(body).toMatchObject({
      error: { type: "invalid_request_error", code: "invalid_api_key" },
    });
    expect(simulator.modelCalls()).toMatchObject([{ apiKey: "sk-wrong", outcome: "failed" }]);
  });

  it("fails, talks nonsense and refuses on demand, as often as asked", async () => {
    simulator.setFaults({ model: { kind: "error", status: 503, times: 1 } });
    expect((await ask()).status).toBe(503);
    simulator.setFaults({ model: { kind: "invalid-output", times: 1 } });
    const nonsense = (await ask()).body.choices[0]?.message.content ?? "";
    expect(() => JSON.parse(nonsense)).toThrow(SyntaxError);
    simulator.setFaults({ model: { kind: "refusal", times: 1 } });
    const refused = (await ask()).body.choices[0]?.message;
    expect(refused).toMatchObject({ content: null, refusal: expect.any(String) });
    expect((await ask()).body.choices[0]?.message.refusal).toBeNull();
  });

  it("fails on some words of a customer alone, whoever else says them, until told otherwise", async () => {
    simulator.setFaults({ modelFailsOn: ["broken"] });
    const said = (role: string, content: string) => ask(undefined, [{ role, content }]);
    expect((await said("user", "The floor is broken, too")).status).toBe(500);
    expect((await said("user", "The floor")).status).toBe(200);
    expect((await said("assistant", "broken")).status).toBe(200);
    simulator.setFaults({ modelFailsOn: [] });
    expect((await said("user", "broken")).status).toBe(200);
  });

  it.each([
    { what: "hangs", faults: { model: { kind: "hang" } } as const },
    { what: "is slow", faults: { modelDelayMs: 60_000 } },
  ])("notices that the client gave up while the model $what", async ({ faults }) => {
    simulator.setFaults(faults);
    const call = request(`${simulator.openaiUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${simulator.openaiKey}`, expect: "100-continue" },
    });
    call.on("error", () => undefined);
    // The simulator has begun with the request when it invites the body.
    call.once("continue", () => {
      call.end(JSON.stringify({ model: "m", messages: CONVERSATION }), () => call.destroy());
    });
    call.flushHeaders();
    expect(await simulator.waitForModelCalls(1)).toMatchObject([{ outcome: "aborted" }]);
  });
});
