import pRetry, { AbortError } from "p-retry";
import { redactText } from "@jobrun/messaging";
import { runbookOf } from "./alert-types.ts";

export interface AlertNotice {
  key: string;
  type: string;
  severity: string;
  state: string;
  summary: string;
  occurrences: number;
  raisedAt: Date;
}

const TIMEOUT_MS = 5_000;
const RETRIES = 2;
const FIRST_RETRY_MS = 250;

/**
 * Posts an alert as JSON. `text` is what Slack and compatible services show; the other fields are
 * for machines. Three attempts of 5 s; a 4xx other than 408 and 429 is not tried again.
 *
 * @throws when no attempt was answered by a 2xx.
 */
export async function postAlert(url: string, alert: AlertNotice): Promise<void> {
  const body = JSON.stringify({
    text: noticeText(alert),
    type: alert.type,
    severity: alert.severity,
    key: redactText(alert.key),
    state: alert.state,
    summary: alert.summary,
    runbook: runbookOf(alert.type),
    occurrences: alert.occurrences,
    raisedAt: alert.raisedAt.toISOString(),
  });
  await pRetry(() => post(url, body), { retries: RETRIES, minTimeout: FIRST_RETRY_MS });
}

/** One line for a person. */
export function noticeText(alert: AlertNotice): string {
  const times = alert.occurrences > 1 ? `, ${alert.occurrences} times` : "";
  return `JobRun ${alert.severity.toUpperCase()}: ${alert.summary} (${alert.type}${times})`;
}

async function post(url: string, body: string): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (response.ok) return;
  const refused = new Error(`the alert webhook answered ${response.status}`);
  const isFinal = response.status < 500 && response.status !== 408 && response.status !== 429;
  throw isFinal ? new AbortError(refused) : refused;
}
