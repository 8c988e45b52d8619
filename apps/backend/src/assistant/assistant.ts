import { z } from "zod";
import { urgencies, type Urgency } from "./urgency.ts";

export type { Urgency } from "./urgency.ts";

/** What is known of a job so far, in the customer's words. `null`: not said yet. */
export interface JobDraft {
  summary: string;
  /** trade or kind of work, for example "plumbing" */
  type: string | null;
  location: string | null;
  /** when the customer wants it, as they put it ("tomorrow 5pm") */
  requestedTime: string | null;
  customerName: string | null;
}

/** Everything an assistant may know for one turn. Nothing in it but `business` may be trusted. */
export interface AssistantContext {
  business: { name: string; locale: "en" | "fr" };
  /** oldest first: what was said before this turn */
  history: { from: "customer" | "business"; text: string }[];
  /** the customer's texts this turn answers, oldest first, at least one; `text` is empty for media alone */
  texts: { text: string; media: { contentType: string }[] }[];
  openJob: (JobDraft & { urgency: Urgency }) | null;
}

export interface AssistantReply {
  /** 1 to 480 characters: three SMS segments of GSM-7 and a little spare */
  text: string;
  intent: "job_request" | "question" | "greeting" | "complaint" | "cancellation" | "other";
  urgency: Urgency;
  job: JobDraft | null;
  /** the customer asked for a person, or the assistant cannot help */
  needsHuman: boolean;
}

export interface AssistantUsage {
  tokensIn: number;
  tokensOut: number;
}

/** Told of every model request, so that each becomes one `llm_request` and exactly one outcome event. */
export interface AttemptObserver {
  started(): void;
  /** `durationMs` in milliseconds, `replyLength` in characters */
  completed(info: {
    durationMs: number;
    tokensIn: number;
    tokensOut: number;
    replyLength: number;
  }): void;
  failed(info: { durationMs: number; errorClass: AssistantErrorClass }): void;
}

/**
 * Writes the reply to one turn and extracts the job.
 * `reply` stops when `signal` aborts and throws only `AssistantError`. `usage` is that of the attempt that answered.
 */
export interface Assistant {
  readonly provider: "openai" | "scripted";
  reply(
    context: AssistantContext,
    signal: AbortSignal,
    observer?: AttemptObserver,
  ): Promise<{ reply: AssistantReply; usage: AssistantUsage }>;
}

export type AssistantErrorClass =
  | "timeout"
  | "rate-limited"
  | "unavailable"
  | "refused"
  | "invalid-output"
  | "auth";

/** Why there is no reply. The message is made of fixed words: it may be logged, the cause may not. */
export class AssistantError extends Error {
  readonly errorClass: AssistantErrorClass;

  constructor(errorClass: AssistantErrorClass, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "AssistantError";
    this.errorClass = errorClass;
  }
}

const maxReplyLength = 480;

/** A model that writes "" means "not said". */
const known = z
  .string()
  .transform((value) => shorten(value, 120) || null)
  .nullable();

/** What an assistant must return. Too long a text is cut at a sentence or word; an empty one is refused. */
export const assistantReplySchema = z.object({
  text: z
    .string()
    .transform((value) => shorten(value, maxReplyLength))
    .pipe(z.string().min(1)),
  intent: z.enum(["job_request", "question", "greeting", "complaint", "cancellation", "other"]),
  urgency: z.enum(urgencies),
  job: z
    .object({
      summary: z
        .string()
        .transform((value) => shorten(value, 200))
        .pipe(z.string().min(1)),
      type: known,
      location: known,
      requestedTime: known,
      customerName: known,
    })
    .nullable(),
  needsHuman: z.boolean(),
}) satisfies z.ZodType<AssistantReply>;

/**
 * Trims `text` and keeps it within `maxLength` UTF-16 units: ends after the last whole sentence of the second
 * half if there is one, else after the last whole word. Never splits a surrogate pair.
 */
export function shorten(text: string, maxLength: number): string {
  const trimmed = text.trim();
  if (trimmed.length <= maxLength) return trimmed;
  const head = trimmed.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, "");
  const sentenceEnd = Math.max(...[". ", "! ", "? "].map((end) => head.lastIndexOf(end)));
  if (sentenceEnd > maxLength / 2) return head.slice(0, sentenceEnd + 1);
  const wordEnd = head.lastIndexOf(" ");
  return (wordEnd > maxLength / 2 ? head.slice(0, wordEnd) : head).trimEnd();
}
