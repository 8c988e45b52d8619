import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { BoundedLog } from "./bounded-log.ts";
import type { FaultSwitch } from "./faults.ts";
import { readBody, sendJson } from "./http.ts";
import { scriptedAnswer } from "./scripted-answer.ts";

/** One request to the model, recorded when it ends. */
export interface ModelCall {
  apiKey: string;
  messages: { role: string; content: string }[];
  /** When the request arrived, ms since 1970. */
  at: number;
  /** `aborted`: the client closed before the answer. */
  outcome: "answered" | "failed" | "aborted";
}

export interface OpenAiApiDeps {
  openaiKey: string;
  calls: BoundedLog<ModelCall>;
  faults: FaultSwitch;
}

const part = z.object({ type: z.literal("text"), text: z.string() });
const content = z.union([
  z.string(),
  z.array(part).transform((parts) => parts.map(({ text }) => text).join("")),
]);
const completionRequest = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content })).min(1),
  stream: z.literal(false).optional(),
  response_format: z.object({ type: z.string() }).optional(),
});
type CompletionRequest = z.infer<typeof completionRequest>;

/**
 * `POST /v1/chat/completions` of an OpenAI-compatible endpoint, without streaming
 * (https://platform.openai.com/docs/api-reference/chat/create).
 */
export async function handleChatCompletion(
  deps: OpenAiApiDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const call: Omit<ModelCall, "outcome"> = {
    apiKey: (request.headers.authorization ?? "").replace(/^Bearer /, ""),
    messages: [],
    at: Date.now(),
  };
  const parsed = completionRequest.safeParse(parseJson(await readBody(request)));
  if (parsed.success) call.messages = parsed.data.messages;

  // The first of answer, failure and the client's leaving is the outcome; recorded before the client can see it.
  let ended = false;
  const end = (outcome: ModelCall["outcome"]): boolean => {
    if (ended) return false;
    ended = true;
    clearTimeout(timer);
    deps.calls.append(crypto.randomUUID(), { ...call, outcome });
    return true;
  };
  const fail = (status: number, type: string, code: string | null, message: string) => {
    if (end("failed")) sendJson(response, status, { error: { message, type, param: null, code } });
  };
  let timer: NodeJS.Timeout | undefined;
  response.once("close", () => end("aborted"));

  if (call.apiKey !== deps.openaiKey) {
    fail(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided");
    return;
  }
  if (!parsed.success) {
    fail(400, "invalid_request_error", null, z.prettifyError(parsed.error));
    return;
  }
  const fault = failsOn(parsed.data, deps.faults.current.modelFailsOn)
    ? ({ kind: "error", status: 500 } as const)
    : deps.faults.nextModel();
  if (fault.kind === "hang") return;
  const answer = () => {
    if (fault.kind === "error") {
      const [type, code] = fault.status === 429 ? RATE_LIMITED : SERVER_ERROR;
      fail(fault.status, type, code, "Switched-on fault");
    } else if (end("answered")) {
      sendJson(response, 200, completion(parsed.data, fault.kind));
    }
  };
  const { modelDelayMs } = deps.faults.current;
  if (modelDelayMs > 0) timer = setTimeout(answer, modelDelayMs);
  else answer();
}

function failsOn({ messages }: CompletionRequest, words: readonly string[]): boolean {
  const said = messages.filter(({ role }) => role === "user").map((message) => message.content);
  return words.some((word) => said.some((text) => text.includes(word)));
}

const RATE_LIMITED = ["rate_limit_error", "rate_limit_exceeded"] as const;
const SERVER_ERROR = ["server_error", null] as const;

function completion(request: CompletionRequest, fault: "none" | "invalid-output" | "refusal") {
  const texts = request.messages.map((message) => message.content);
  const structured = request.response_format?.type === "json_schema";
  const answer = scriptedAnswer(request.messages);
  const scripted = structured ? JSON.stringify(answer) : answer.text;
  const message = {
    none: { content: scripted, refusal: null },
    "invalid-output": { content: '{"text": "cut o', refusal: null },
    refusal: { content: null, refusal: "I'm sorry, I can't help with that." },
  }[fault];
  const promptTokens = tokens(texts.join(" "));
  const completionTokens = tokens(message.content ?? message.refusal ?? "");
  return {
    id: `chatcmpl-${createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 29)}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", ...message },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  };
}

/** OpenAI's rule of thumb: four characters to a token. */
function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
