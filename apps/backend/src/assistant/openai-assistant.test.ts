import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { AssistantContext, AttemptObserver } from "./assistant.ts";
import { openaiAssistant } from "./openai-assistant.ts";
import { contextOf, injections } from "./test-context.ts";

interface ModelRequest {
  messages: { role: string; content: string }[];
  response_format: { json_schema: { strict: boolean; schema: object } };
}
type Handler = (response: ServerResponse, request: IncomingMessage, body: ModelRequest) => void;

const goodReply = {
  text: "Thank you. What is the address?",
  intent: "job_request",
  urgency: "today",
  job: {
    summary: "leaking tap",
    type: "plumbing",
    location: "",
    requestedTime: null,
    customerName: null,
  },
  needsHuman: false,
};

/** A server that speaks chat completions; each request takes the next handler, the last one stays. */
let handlers: Handler[];
let requests: ModelRequest[];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body: ModelRequest = JSON.parse(Buffer.concat(chunks).toString());
    requests.push(body);
    const handler = handlers.length > 1 ? handlers.shift() : handlers[0];
    handler?.(response, request, body);
  });
});

beforeEach(async () => {
  handlers = [says(goodReply)];
  requests = [];
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  await once(server.close(), "close");
});

function answers(status: number, body: unknown): Handler {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

function completes(message: object, finishReason = "stop"): Handler {
  return answers(200, {
    id: "c1",
    object: "chat.completion",
    choices: [
      { index: 0, finish_reason: finishReason, message: { role: "assistant", ...message } },
    ],
    usage: { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150 },
  });
}

function says(reply: object): Handler {
  return completes({ content: JSON.stringify(reply), refusal: null });
}

const hangs: Handler = () => {};

function ask(context: AssistantContext, options: AskOptions = {}) {
  const assistant = openaiAssistant({
    apiKey: "test-key",
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    model: "test-model",
    timeoutMs: options.timeoutMs ?? 60_000,
    ...(options.now ? { now: options.now } : {}),
  });
  const signal = options.signal ?? new AbortController().signal;
  return assistant.reply(context, signal, options.observer);
}

interface AskOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
  observer?: AttemptObserver;
  now?: () => number;
}

function recorder() {
  const seen: string[] = [];
  const observer: AttemptObserver = {
    started: () => seen.push("started"),
    completed: (info) => seen.push(`completed ${JSON.stringify(info)}`),
    failed: ({ errorClass }) => seen.push(`failed ${errorClass}`),
  };
  return { seen, observer };
}

describe("a reply of the model", () => {
  it("is validated and returned with its usage, empty job fields as not said", async () => {
    const { reply, usage } = await ask(contextOf("My tap leaks"));
    expect(reply).toEqual({ ...goodReply, job: { ...goodReply.job, location: null } });
    expect(usage).toEqual({ tokensIn: 120, tokensOut: 30 });
  });

  it("is cut at a sentence when it is too long for three segments", async () => {
    handlers = [says({ ...goodReply, text: "We will call you back. ".repeat(60) })];
    const { reply } = await ask(contextOf("My tap leaks"));
    expect(reply.text.length).toBeLessThanOrEqual(480);
    expect(reply.text.endsWith("call you back.")).toBe(true);
  });

  it("is asked for with a strict schema: closed objects, every property required, no length keywords", async () => {
    await ask(contextOf("My tap leaks"));
    const format = requests[0]?.response_format.json_schema;
    expect(format?.strict).toBe(true);
    const schema = JSON.stringify(format?.schema);
    expect(schema).not.toMatch(/minLength|maxLength|pattern/);
    expect(format?.schema).toMatchObject({
      additionalProperties: false,
      required: ["text", "intent", "urgency", "job", "needsHuman"],
    });
    expect(schema.match(/"additionalProperties":false/g)).toHaveLength(2);
  });
});

describe("an error of the model", () => {
  const body = { error: { message: "no", type: "t", code: null } };
  it.each<[string, Handler, string]>([
    ["401", answers(401, body), "auth"],
    ["403", answers(403, body), "auth"],
    ["408", answers(408, body), "timeout"],
    ["429", answers(429, body), "rate-limited"],
    ["500", answers(500, body), "unavailable"],
    ["503", answers(503, body), "unavailable"],
    ["a dropped connection", (response) => response.destroy(), "unavailable"],
    ["a refusal", completes({ content: null, refusal: "I cannot" }), "refused"],
    ["a content filter", completes({ content: "{" }, "content_filter"), "refused"],
    ["a filtered prompt", answers(400, { error: { code: "content_filter" } }), "refused"],
    ["no JSON in the message", completes({ content: "Sure! call us" }), "invalid-output"],
    ["JSON of another shape", completes({ content: '{"text":"hi"}' }), "invalid-output"],
    ["an empty text", says({ ...goodReply, text: "  " }), "invalid-output"],
    ["no choices", answers(200, { choices: [] }), "invalid-output"],
    ["a body that is not JSON", answers(200, "<html>"), "invalid-output"],
  ])("%s is classed", async (_, handler, errorClass) => {
    handlers = [handler];
    await expect(ask(contextOf("My tap leaks"))).rejects.toMatchObject({
      name: "AssistantError",
      errorClass,
    });
  });

  it("never carries the customer's words in message, stack or printed cause", async () => {
    handlers = [completes({ content: "secretword is not JSON" })];
    const error: unknown = await ask(contextOf("secretword")).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(String((error as Error).stack) + String((error as Error).cause)).not.toMatch(
      /secretword/,
    );
  });
});

describe("retry", () => {
  it.each<[string, Handler]>([
    ["rate-limited", answers(429, {})],
    ["unavailable", answers(500, {})],
    ["timeout", answers(408, {})],
  ])("happens once after %s, and each attempt is observed", async (errorClass, handler) => {
    handlers = [handler, says(goodReply)];
    const { seen, observer } = recorder();
    let clock = 0;
    await ask(contextOf("My tap leaks"), { observer, now: () => (clock += 40) });
    const completed = { durationMs: 40, tokensIn: 120, tokensOut: 30, replyLength: 31 };
    expect(seen).toEqual([
      "started",
      `failed ${errorClass}`,
      "started",
      `completed ${JSON.stringify(completed)}`,
    ]);
    expect(requests).toHaveLength(2);
  });

  it("stops after the second failure", async () => {
    handlers = [answers(500, {})];
    await expect(ask(contextOf("My tap leaks"))).rejects.toMatchObject({
      errorClass: "unavailable",
    });
    expect(requests).toHaveLength(2);
  });

  it.each<[string, Handler]>([
    ["auth", answers(401, {})],
    ["refused", completes({ content: null, refusal: "no" })],
    ["invalid-output", completes({ content: "garbage" })],
  ])("does not happen after %s", async (errorClass, handler) => {
    handlers = [handler];
    const { seen, observer } = recorder();
    await expect(ask(contextOf("My tap leaks"), { observer })).rejects.toMatchObject({
      errorClass,
    });
    expect(seen).toEqual(["started", `failed ${errorClass}`]);
    expect(requests).toHaveLength(1);
  });

  it("does not happen once the turn's time is up", async () => {
    const turn = new AbortController();
    handlers = [answers(500, {})];
    const { observer, seen } = recorder();
    const failed = observer.failed;
    observer.failed = (info) => {
      failed(info);
      turn.abort();
    };
    const asked = ask(contextOf("My tap leaks"), { signal: turn.signal, observer });
    await expect(asked).rejects.toMatchObject({ errorClass: "unavailable" });
    expect(seen).toEqual(["started", "failed unavailable"]);
    expect(requests).toHaveLength(1);
  });
});

describe("a model that hangs", () => {
  it("is a timeout when the signal aborts, and its connection is closed", async () => {
    const turn = new AbortController();
    const closed = new Promise<void>((resolve) => {
      handlers = [
        (_, request) => {
          request.socket.once("close", () => resolve());
          turn.abort();
        },
      ];
    });
    const asked = ask(contextOf("My tap leaks"), { signal: turn.signal });
    await expect(asked).rejects.toMatchObject({ errorClass: "timeout" });
    await closed;
    expect(requests).toHaveLength(1);
  });

  it("is a timeout after timeoutMs, and asked once more", async () => {
    handlers = [hangs, says(goodReply)];
    const { reply } = await ask(contextOf("My tap leaks"), { timeoutMs: 2000 });
    expect(reply.text).toBe(goodReply.text);
    expect(requests).toHaveLength(2);
  });

  it("is a timeout also when it stalls in the middle of the body", async () => {
    const stalls: Handler = (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"choices":');
    };
    handlers = [stalls];
    const asked = ask(contextOf("My tap leaks"), { timeoutMs: 200 });
    await expect(asked).rejects.toMatchObject({ errorClass: "timeout" });
  });

  it("is not asked at all when the signal has aborted before", async () => {
    const asked = ask(contextOf("My tap leaks"), { signal: AbortSignal.abort() });
    await expect(asked).rejects.toMatchObject({ errorClass: "timeout" });
    expect(requests).toHaveLength(0);
  });
});

describe("prompt injection", () => {
  it.each(injections)("reaches the model as the customer's own message only: %s", async (text) => {
    await ask(contextOf(text));
    const [system, ...rest] = requests[0]?.messages ?? [];
    expect(system?.role).toBe("system");
    expect(system?.content).not.toContain(text);
    expect(rest).toEqual([{ role: "user", content: text }]);
  });

  it.each<[string, (system: string) => object]>([
    ["the reference", (system) => ({ text: `It is ${/ref-\S+/.exec(system)?.[0]}` })],
    ["a rule in capitals", (system) => ({ text: system.split("\n")[4]?.toUpperCase() })],
    [
      "the reference in a job field",
      (system) => ({ job: { ...goodReply.job, summary: /ref-\S+/.exec(system)?.[0] } }),
    ],
  ])("that makes the model repeat %s is refused as invalid output", async (_, leak) => {
    handlers = [
      (response, request, body) => {
        const reply = { ...goodReply, ...leak(body.messages[0]?.content ?? "") };
        says(reply)(response, request, body);
      },
    ];
    await expect(ask(contextOf(injections[0]))).rejects.toMatchObject({
      errorClass: "invalid-output",
      message: "model output repeats its instructions",
    });
  });
});
