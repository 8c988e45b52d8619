import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import { z } from "zod";
import {
  AssistantError,
  assistantReplySchema,
  type Assistant,
  type AssistantErrorClass,
  type AssistantReply,
  type AssistantUsage,
  type AttemptObserver,
} from "./assistant.ts";
import { leaksPrompt, promptFor } from "./prompt.ts";

const retryWaitMs = 250;
const retryable: ReadonlySet<AssistantErrorClass> = new Set([
  "timeout",
  "rate-limited",
  "unavailable",
]);

type Messages = ReturnType<typeof promptFor>;
type Answer = { reply: AssistantReply; usage: AssistantUsage };

/**
 * An assistant over any server that speaks OpenAI's chat completions with structured output.
 * `baseUrl` defaults to OpenAI's own; `timeoutMs` bounds each attempt, in milliseconds, body included;
 * `now` is a clock in milliseconds. A turn is one request, and one more after 250 ms if the first timed out,
 * was rate-limited or found the server unavailable and `signal` has not aborted. Throws `AssistantError`.
 */
export function openaiAssistant(options: {
  apiKey: string;
  baseUrl?: string;
  model: string;
  timeoutMs: number;
  now?: () => number;
}): Assistant {
  const { model, timeoutMs, now = Date.now } = options;
  const canary = `ref-${randomUUID()}`;
  const client = new OpenAI({
    apiKey: options.apiKey,
    // Everything the SDK would otherwise read from the environment: `config.ts` is the only reader of it.
    baseURL: options.baseUrl ?? "https://api.openai.com/v1",
    organization: null,
    project: null,
    // Its debug level would print the customer's words.
    logLevel: "off",
    maxRetries: 0,
    // Since version 7 this bounds the whole answer, also a body that stalls (a test holds it).
    timeout: timeoutMs,
  });

  async function attempt(messages: Messages, signal: AbortSignal): Promise<Answer> {
    try {
      const completion = await client.chat.completions.create(
        { model, messages, response_format: responseFormat },
        { signal },
      );
      const usage = {
        tokensIn: completion.usage?.prompt_tokens ?? 0,
        tokensOut: completion.usage?.completion_tokens ?? 0,
      };
      return { reply: readReply(completion, canary), usage };
    } catch (error) {
      if (signal.aborted) throw new AssistantError("timeout", "model timed out", { cause: error });
      throw asAssistantError(error);
    }
  }

  async function observed(messages: Messages, signal: AbortSignal, observer?: AttemptObserver) {
    const startedAt = now();
    observer?.started();
    let answer: Answer;
    try {
      answer = await attempt(messages, signal);
    } catch (error) {
      const { errorClass } = asAssistantError(error);
      observer?.failed({ durationMs: now() - startedAt, errorClass });
      throw error;
    }
    const { reply, usage } = answer;
    const durationMs = now() - startedAt;
    observer?.completed({ durationMs, ...usage, replyLength: reply.text.length });
    return answer;
  }

  return {
    provider: "openai",
    async reply(context, signal, observer) {
      if (signal.aborted) throw new AssistantError("timeout", "no time left to ask the model");
      const messages = promptFor(context, canary);
      try {
        return await observed(messages, signal, observer);
      } catch (error) {
        if (!retryable.has(asAssistantError(error).errorClass)) throw error;
        await wait(retryWaitMs, undefined, { signal }).catch(() => {
          throw error;
        });
        return await observed(messages, signal, observer);
      }
    },
  };
}

/**
 * Strict structured output wants `additionalProperties: false` everywhere, every property required, and only
 * some keywords: https://platform.openai.com/docs/guides/structured-outputs. Lengths are left to zod.
 */
const responseFormat = {
  type: "json_schema" as const,
  json_schema: {
    name: "assistant_reply",
    strict: true,
    schema: z.toJSONSchema(assistantReplySchema, {
      io: "input",
      override: ({ jsonSchema }) => {
        if (jsonSchema.type === "object") jsonSchema.additionalProperties = false;
      },
    }),
  },
};

function readReply(completion: OpenAI.ChatCompletion, canary: string): AssistantReply {
  // A compatible server may answer 200 with anything: the SDK's type is a hope.
  const choice = completion.choices?.[0];
  if (!choice?.message) throw new AssistantError("invalid-output", "model answered with no choice");
  if (choice.message.refusal || choice.finish_reason === "content_filter") {
    throw new AssistantError("refused", "model refused to answer");
  }
  const parsed = assistantReplySchema.safeParse(parseJson(choice.message.content ?? ""));
  if (!parsed.success) {
    throw new AssistantError("invalid-output", "model output does not fit the reply schema", {
      cause: parsed.error,
    });
  }
  if (leaksPrompt(JSON.stringify(Object.values(parsed.data)), canary)) {
    throw new AssistantError("invalid-output", "model output repeats its instructions");
  }
  return parsed.data;
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    // No cause: the message of a SyntaxError quotes the output, and with it the customer.
    throw new AssistantError("invalid-output", "model output is not JSON");
  }
}

/** Error classes by HTTP status: https://platform.openai.com/docs/guides/error-codes. */
function asAssistantError(error: unknown): AssistantError {
  if (error instanceof AssistantError) return error;
  const options = { cause: error };
  if (error instanceof APIConnectionTimeoutError) {
    return new AssistantError("timeout", "model timed out", options);
  }
  if (error instanceof APIConnectionError) {
    return new AssistantError("unavailable", "model server cannot be reached", options);
  }
  if (!(error instanceof APIError)) {
    return new AssistantError("invalid-output", "model server did not answer in JSON");
  }
  const { status } = error;
  const message = `model server answered ${status}`;
  if (status === 401 || status === 403) return new AssistantError("auth", message, options);
  if (status === 408) return new AssistantError("timeout", message, options);
  if (status === 429) return new AssistantError("rate-limited", message, options);
  // Azure refuses a prompt with a 400 of this code.
  if (error.code === "content_filter") return new AssistantError("refused", message, options);
  return new AssistantError("unavailable", message, options);
}
