import { redactText } from "@jobrun/messaging";
import { runbookOf } from "./alert-types.ts";
import { postJson } from "./post-json.ts";
import { noticeText, type AlertNotice } from "./webhook-channel.ts";

export interface PagerDutyConfig {
  /** The integration key of a service with an Events API v2 integration. */
  routingKey: string;
  /** Another address than PagerDuty's own. */
  url?: string;
}

const EVENTS_URL = "https://events.pagerduty.com/v2/enqueue";
// https://developer.pagerduty.com/docs/send-alert-event
const MAX_SUMMARY = 1024;
const MAX_DEDUP_KEY = 255;

/**
 * Opens an incident at PagerDuty, or adds to the open one of the same key.
 *
 * @throws when no attempt was answered by a 2xx
 */
export async function triggerPagerDuty(config: PagerDutyConfig, alert: AlertNotice): Promise<void> {
  await send(config, {
    event_action: "trigger",
    dedup_key: dedupKey(alert.key),
    payload: {
      summary: noticeText(alert).slice(0, MAX_SUMMARY),
      source: "jobrun",
      // Ours are two of PagerDuty's four: critical, error, warning, info.
      severity: alert.severity === "critical" ? "critical" : "warning",
      timestamp: alert.raisedAt.toISOString(),
      class: alert.type,
      custom_details: { runbook: runbookOf(alert.type), occurrences: alert.occurrences },
    },
  });
}

/**
 * Ends the incident of a key at PagerDuty; one it does not have is accepted as well.
 *
 * @throws when no attempt was answered by a 2xx
 */
export async function resolvePagerDuty(config: PagerDutyConfig, key: string): Promise<void> {
  await send(config, { event_action: "resolve", dedup_key: dedupKey(key) });
}

function send({ routingKey, url = EVENTS_URL }: PagerDutyConfig, event: object): Promise<void> {
  return postJson(url, "PagerDuty", { routing_key: routingKey, ...event });
}

function dedupKey(key: string): string {
  return redactText(key).slice(0, MAX_DEDUP_KEY);
}
