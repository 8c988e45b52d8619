import { z } from "zod";
import type { Logger } from "winston";

interface EventDefinition {
  level: "info" | "warn" | "error";
  /** One line for docs/events.md. */
  when: string;
  schema: z.ZodObject;
  /** Message of the log line where people grep for a text; else the event's name. */
  text?: string;
}

const word = z.string().min(1);
const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();
const optional = word.nullish();
/** An address that went through maskAddress: no run of digits long enough to call. */
const maskedAddress = word.regex(/^(?!.*\d{7})/s, "is not masked");

/** Unknown fields are refused: that is how a body or a name does not slip into the log. */
function fields<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject({
    /** Of the webhook that began it all; replies and receipts carry it on. */
    requestId: word,
    tenantId: optional,
    conversationId: optional,
    providerMessageId: optional,
    ...shape,
  });
}

const limit = { scope: word, currentCount: count, limit: count, windowSeconds: count };
const quota = { reason: word, currentUsage: z.number(), limit: z.number() };
const outbound = { messageId: word };
const job = { jobId: word };
const alert = { type: word, key: word, severity: word };

/** Every event the gateway emits. docs/events.md is generated from it by scripts/events-doc.ts. */
export const eventRegistry = {
  message_received: {
    level: "info",
    when: "a verified inbound message reached the gateway",
    schema: fields({ from: maskedAddress, to: maskedAddress, channel: word }),
  },
  duplicate_message_dropped: {
    level: "info",
    when: "its id is already committed; nothing follows",
    schema: fields({}),
    text: "DUPLICATE: Message already processed",
  },
  message_deferred: {
    level: "info",
    when: "accepted durably, to be answered later: by the fallback, or in deferred mode",
    schema: fields({ messageId: optional }),
  },
  message_recovered: {
    level: "warn",
    when: "a message that never arrived as a webhook was found by the sweep",
    schema: fields({ net: word }),
  },
  rate_limited: {
    level: "warn",
    when: "a sender is over a limit",
    schema: fields({ ...limit, alreadyNotified: z.boolean() }),
  },
  rate_limit_reply_sent: {
    level: "info",
    when: "the sender was told once that a limit is reached",
    schema: fields({ ...limit, alreadyNotified: z.boolean() }),
  },
  quota_exceeded: {
    level: "warn",
    when: "a tenant's quota is used up",
    schema: fields(quota),
  },
  quota_blocked_cached: {
    level: "warn",
    when: "over quota as before, without counting again: currentUsage is the limit",
    schema: fields(quota),
  },
  quota_exceeded_handled: {
    level: "info",
    when: "the customer was answered without the assistant",
    schema: fields(quota),
  },
  opt_out_recorded: {
    level: "info",
    when: "a customer wants no more texts",
    schema: fields({ keyword: word }),
  },
  opt_in_recorded: {
    level: "info",
    when: "a customer wants texts again",
    schema: fields({ keyword: word }),
  },
  llm_request: {
    level: "info",
    when: "the assistant is asked",
    schema: fields({ attempt: count.optional() }),
  },
  llm_request_completed: {
    level: "info",
    when: "the assistant answered",
    schema: fields({
      durationMs: milliseconds,
      tokensIn: count,
      tokensOut: count,
      replyLength: count,
    }),
  },
  llm_error: {
    level: "error",
    when: "the assistant did not answer",
    schema: fields({ errorClass: word, durationMs: milliseconds }),
  },
  job_upserted: {
    level: "info",
    when: "a job was recorded or changed",
    schema: fields({ ...job, status: word, urgency: word }),
  },
  urgent_job_alerted: {
    level: "info",
    when: "the operator's text about an urgent job was queued",
    schema: fields({ ...job, ...outbound }),
  },
  urgent_job_acknowledged: {
    level: "info",
    when: "the operator answered an urgent job",
    schema: fields(job),
  },
  urgent_job_escalated: {
    level: "warn",
    when: "nobody answered an urgent job in time",
    schema: fields(job),
  },
  message_queued: {
    level: "info",
    when: "an outbound message was committed to the outbox",
    schema: fields({ ...outbound, kind: word, segments: count }),
  },
  message_sent: {
    level: "info",
    when: "the provider accepted an outbound message and the row says so",
    schema: fields({ ...outbound, attempts: count }),
  },
  message_failed: {
    level: "error",
    when: "the provider refused an outbound message for good",
    schema: fields({ ...outbound, code: word }),
  },
  message_unknown: {
    level: "warn",
    when: "it is not known whether the provider accepted an outbound message",
    schema: fields({ ...outbound, code: word }),
  },
  message_dead: {
    level: "error",
    when: "the schedule of an outbound message is exhausted",
    schema: fields(outbound),
  },
  receipt_applied: {
    level: "info",
    when: "the provider reported how far an outbound message came",
    schema: fields({ ...outbound, status: word, rank: count }),
  },
  transaction_failed: {
    level: "error",
    when: "nothing was written; the provider gets a 500",
    schema: fields({ errorClass: word, errorCode: optional }),
    text: "CRITICAL: Message processing transaction failed",
  },
  missed_call: {
    level: "info",
    when: "a call to a tenant was not answered",
    schema: fields({ callStatus: word }),
  },
  missed_call_text_queued: {
    level: "info",
    when: "the text to a missed caller was committed to the outbox",
    schema: fields(outbound),
  },
  system_failsafe_sent: {
    level: "warn",
    when: "the fail-safe text of a SYSTEM number was sent",
    schema: fields({ callStatus: word, isKnown: z.boolean() }),
  },
  alert_raised: {
    level: "warn",
    when: "an incident opened",
    schema: fields(alert),
  },
  alert_delivered: {
    level: "info",
    when: "the founder was told about an incident",
    schema: fields({ ...alert, channel: word }),
  },
  alert_suppressed: {
    level: "warn",
    when: "an incident opened and nobody will be told: alerts disabled or no channel",
    schema: fields({ ...alert, reason: word }),
  },
  alert_resolved: {
    level: "info",
    when: "an incident ended",
    schema: fields(alert),
  },
} as const satisfies Record<string, EventDefinition>;

type EventName = keyof typeof eventRegistry;
export type EventFields<N extends EventName> = z.input<(typeof eventRegistry)[N]["schema"]>;

export interface Events {
  /** Logs one event. `from` and `to` must already be masked. */
  emit<N extends EventName>(name: N, fields: EventFields<N>): void;
}

export interface EventsOptions {
  logger: Logger;
  /** In tests: an event that does not fit its schema throws. Else it is logged as `event_invalid`. */
  strict: boolean;
}

/** Validates events against the registry and writes them as log lines with the field `event`. */
export function createEvents({ logger, strict }: EventsOptions): Events {
  return {
    emit(name, given) {
      const definition: EventDefinition = eventRegistry[name];
      const parsed = definition.schema.safeParse(given);
      if (parsed.success) {
        logger.log({
          ...withoutNulls(parsed.data),
          level: definition.level,
          message: definition.text ?? name,
          event: name,
        });
        return;
      }
      const problems = parsed.error.issues.map(
        (issue) => `${issue.path.join(".") || "event"}: ${issue.message}`,
      );
      if (strict) throw new TypeError(`event ${name} is invalid: ${problems.join("; ")}`);
      logger.error("event_invalid", { event: "event_invalid", invalidEvent: name, problems });
    },
  };
}

function withoutNulls(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).filter(([, value]) => value !== null && value !== undefined),
  );
}
