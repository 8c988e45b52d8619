import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export type Metrics = ReturnType<typeof createMetrics>;

/** Around the gateway's own limits: 2.5 s warns, 9 s is the deadline of a webhook. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 9, 15];

/**
 * The Prometheus metrics of the gateway and of Node.js, in a registry of their own. No label may
 * carry a number, a name or an id.
 */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter<L>({ name: `jobrun_${name}`, help, labelNames, registers: [registry] });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge<L>({ name: `jobrun_${name}`, help, labelNames, registers: [registry] });
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram<L>({
      name: `jobrun_${name}`,
      help,
      labelNames,
      buckets: SECONDS,
      registers: [registry],
    });

  return {
    registry,
    webhooks: counter("webhooks_total", "Webhooks answered", "channel", "outcome"),
    webhookDuration: histogram("webhook_duration_seconds", "From request to answer", "channel"),
    llmRequests: counter("llm_requests_total", "Attempts to ask the assistant", "outcome"),
    llmDuration: histogram("llm_duration_seconds", "One attempt to ask the assistant"),
    transactionsFailed: counter("transactions_failed_total", "Webhooks that wrote nothing"),
    outbound: counter("messages_outbound_total", "Outcomes of sends", "channel", "outcome"),
    sendFailures: counter("send_failures_total", "Sends not accepted, by code", "provider", "code"),
    sendDuration: histogram("send_duration_seconds", "One send to a provider", "provider"),
    outboxDepth: gauge("outbox_depth", "Outbound messages not settled", "state"),
    outboxOldest: gauge("outbox_oldest_seconds", "Age of the oldest message waiting to be sent"),
    duplicates: counter("duplicates_total", "Messages dropped because already committed"),
    recovered: counter("recovered_total", "Messages saved by a net below the webhook", "net"),
    breakerState: gauge("breaker_state", "0 closed, 1 half-open, 2 open", "provider"),
    signatureFailures: counter("signature_failures_total", "Webhooks refused", "provider"),
    quotaBlocks: counter("quota_blocks_total", "Model calls refused by a quota"),
    rateLimits: counter("rate_limits_total", "Messages over a rate limit", "scope"),
    voiceSystemFailsafeIntake: counter(
      "voice_system_failsafe_intake_total",
      "Calls to SYSTEM numbers taken by the fail-safe",
      "isKnown",
      "callStatus",
    ),
    alertsOpen: gauge("alerts_open", "Incidents not resolved", "severity"),
  };
}
