import type { AlertType, Severity } from "./alert-types.ts";
import { describeStop, type Stop } from "./describe-stop.ts";

/** What one process counted, as the times in ms at which it happened, oldest first. */
export interface ProcessCounters {
  signatureFailures: readonly number[];
  transactionFailures: readonly number[];
  assistantFailures: readonly number[];
  /** Time of the last refusal of our credentials that no success followed. */
  assistantAuthFailedAt: number | null;
  /** Providers whose breaker is not closed. */
  openBreakers: readonly string[];
}

/** What the database says; null while it cannot be asked. */
interface OutboxCounters {
  dead: number;
  oldestUnknownSeconds: number;
  oldestDeferredSeconds: number;
  stops: readonly Stop[];
  held: number;
}

export interface Counters {
  process: ProcessCounters;
  outbox: OutboxCounters | null;
}

interface Threshold {
  count: number;
  windowMs: number;
}

export interface Thresholds {
  signatureBurst: Threshold;
  transactionsFailing: Threshold;
  assistantFailing: Threshold;
  /** Seconds after which a stuck message is worth a warning, and after which it is critical. */
  unknownSeconds: Record<Severity, number>;
  deferredSeconds: Record<Severity, number>;
}

export interface Signal {
  type: AlertType;
  /** Of a condition that can hold for several things at once. */
  resource?: string;
  severity: Severity;
  active: boolean;
  summary: string;
}

const MINUTE_MS = 60_000;

export const defaultThresholds: Thresholds = {
  signatureBurst: { count: 10, windowMs: 5 * MINUTE_MS },
  transactionsFailing: { count: 5, windowMs: 5 * MINUTE_MS },
  assistantFailing: { count: 5, windowMs: 15 * MINUTE_MS },
  unknownSeconds: { warning: 120, critical: 600 },
  deferredSeconds: { warning: 120, critical: 600 },
};

/**
 * Says which conditions hold, without acting on them.
 *
 * @param now milliseconds since the epoch.
 * @returns one signal per condition that could be judged, and of stops one for each there is; those
 *   of the database are missing while it cannot be asked, since an unknown state neither raises nor
 *   resolves anything.
 */
export function evaluate(counters: Counters, thresholds: Thresholds, now: number): Signal[] {
  const { process, outbox } = counters;
  const signals = [
    counted(
      "SIGNATURE_BURST",
      process.signatureFailures,
      thresholds.signatureBurst,
      now,
      "webhooks were refused for their signature",
    ),
    counted(
      "TRANSACTIONS_FAILING",
      process.transactionFailures,
      thresholds.transactionsFailing,
      now,
      "webhooks failed and wrote nothing",
    ),
    counted(
      "ASSISTANT_FAILING",
      process.assistantFailures,
      thresholds.assistantFailing,
      now,
      "attempts to ask the assistant failed",
    ),
    {
      type: "ASSISTANT_AUTH",
      severity: "critical",
      active: process.assistantAuthFailedAt !== null,
      summary: "The assistant refuses our credentials",
    },
    {
      type: "BREAKER_OPEN",
      severity: "critical",
      active: process.openBreakers.length > 0,
      summary: `Unavailable: ${process.openBreakers.join(", ")}; outbound messages wait`,
    },
  ] satisfies Signal[];
  if (outbox === null) return signals;
  return [
    ...signals,
    {
      type: "MESSAGE_DEAD",
      severity: "critical",
      active: outbox.dead > 0,
      summary: `${outbox.dead} outbound messages were given up on and are not delivered`,
    },
    ...stopped(outbox.stops),
    {
      type: "WINDOW_CLOSED",
      severity: "warning",
      active: outbox.held > 0,
      summary: `${outbox.held} messages wait until their customers write again`,
    },
    aged(
      "MESSAGE_UNKNOWN_STUCK",
      outbox.oldestUnknownSeconds,
      thresholds.unknownSeconds,
      "It is unknown whether some outbound messages were sent; the oldest for",
    ),
    aged(
      "DEFERRED_STUCK",
      outbox.oldestDeferredSeconds,
      thresholds.deferredSeconds,
      "Customers' messages were accepted but are not answered; the oldest for",
    ),
  ];
}

function stopped(stops: readonly Stop[]): Signal[] {
  const described = stops.map(describeStop);
  return [...new Map(described.map((each) => [each.resource, each])).values()].map((each) => ({
    type: "CHANNEL_STOPPED",
    severity: "critical",
    active: true,
    ...each,
  }));
}

function counted(
  type: AlertType,
  times: readonly number[],
  threshold: Threshold,
  now: number,
  what: string,
): Signal {
  const recent = times.filter((time) => time > now - threshold.windowMs).length;
  return {
    type,
    severity: "critical",
    active: recent >= threshold.count,
    summary: `${recent} ${what} in ${threshold.windowMs / MINUTE_MS} min`,
  };
}

function aged(
  type: AlertType,
  seconds: number,
  limits: Record<Severity, number>,
  what: string,
): Signal {
  return {
    type,
    severity: seconds >= limits.critical ? "critical" : "warning",
    active: seconds >= limits.warning,
    summary: `${what} ${Math.floor(seconds / 60)} min`,
  };
}
