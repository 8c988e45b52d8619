import type { Decision } from "../conversations/decide.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Limits } from "./limits-of.ts";
import type { Refusal } from "./quota.ts";
import type { OverLimit } from "./rate.ts";

interface Trace {
  requestId: string;
  tenantId: string;
  conversationId: string;
}

/** What limits made of a turn, once it is committed. */
export interface LimitsOutcome {
  refusal: Refusal | null;
  /** The turn's first text, which stands for it */
  providerMessageId: string;
  /** The texts over a rate, oldest first */
  overRate: { over: OverLimit; requestId: string; providerMessageId: string }[];
  /** A notice of the rate is queued */
  notified: boolean;
}

interface Text {
  requestId: string;
  providerMessageId: string;
}

/** @param said the turn's texts, to which `limits` belong */
export function limitsOutcome(
  decision: Decision,
  limits: Limits,
  said: readonly [Text, ...Text[]],
): LimitsOutcome {
  const { places, notice } = decision.overRate;
  const overRate = places.flatMap((place) => {
    const [text, over] = [said[place], limits.overRate[place]];
    if (!text || !over) return [];
    return { over, requestId: text.requestId, providerMessageId: text.providerMessageId };
  });
  const [{ providerMessageId }] = said;
  const refusal = decision.kind === "fixed" ? decision.refusal : null;
  return { refusal, providerMessageId, overRate, notified: notice !== null };
}

interface AnnounceDeps {
  events: Events;
  metrics: Metrics;
}

/** What was found. The result of it follows: see `announceHandled`. */
export function announceLimits(
  { events, metrics }: AnnounceDeps,
  trace: Trace,
  { refusal, providerMessageId, overRate, notified }: LimitsOutcome,
): void {
  if (refusal !== null) {
    metrics.quotaBlocks.inc();
    const name = refusal.kind === "exceeded" ? "quota_exceeded" : "quota_blocked_cached";
    events.emit(name, { ...trace, providerMessageId, ...quotaFields(refusal) });
  }
  for (const [place, { over, ...ids }] of overRate.entries()) {
    metrics.rateLimits.inc({ scope: over.scope });
    const alreadyNotified = over.alreadyNotified || (notified && place > 0);
    events.emit("rate_limited", { ...trace, ...ids, ...over, alreadyNotified });
  }
}

/** What the customer gets instead of an answer is queued, or they were told before. */
export function announceHandled(
  { events }: AnnounceDeps,
  trace: Trace,
  { refusal, providerMessageId, overRate: [first], notified }: LimitsOutcome,
): void {
  if (refusal !== null)
    events.emit("quota_exceeded_handled", { ...trace, providerMessageId, ...quotaFields(refusal) });
  if (!notified || first === undefined) return;
  const { over, ...ids } = first;
  events.emit("rate_limit_reply_sent", { ...trace, ...ids, ...over });
}

function quotaFields({ reason, currentUsage, limit }: Refusal) {
  return { reason, currentUsage, limit };
}
