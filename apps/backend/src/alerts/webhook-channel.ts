import { redactText } from "@jobrun/messaging";
import { runbookOf } from "./alert-types.ts";
import { postJson } from "./post-json.ts";

export interface AlertNotice {
  key: string;
  type: string;
  severity: string;
  state: string;
  summary: string;
  occurrences: number;
  raisedAt: Date;
}

/**
 * Posts an alert as JSON. `text` is what Slack and compatible services show; the other fields are
 * for machines.
 *
 * @throws when no attempt was answered by a 2xx.
 */
export async function postAlert(url: string, alert: AlertNotice): Promise<void> {
  await postJson(url, "the alert webhook", {
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
}

/** One line for a person. */
export function noticeText(alert: AlertNotice): string {
  const times = alert.occurrences > 1 ? `, ${alert.occurrences} times` : "";
  return `JobRun ${alert.severity.toUpperCase()}: ${alert.summary} (${alert.type}${times})`;
}
