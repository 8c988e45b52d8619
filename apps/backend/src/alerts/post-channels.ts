import type { AlertConfig } from "./delivery.ts";
import { triggerPagerDuty } from "./pagerduty-channel.ts";
import type { AlertChannel } from "./plan-delivery.ts";
import { postAlert, type AlertNotice } from "./webhook-channel.ts";

/** The channels that need neither the database nor the outbox. */
export type PostChannel = Exclude<AlertChannel, "sms">;

/** Those that are configured, in the order in which they are tried. */
export function postChannels(config: AlertConfig): PostChannel[] {
  return [
    ...(config.webhookUrl ? (["webhook"] as const) : []),
    ...(config.pagerDuty ? (["pagerduty"] as const) : []),
  ];
}

/** @returns null when it was delivered, else why not */
export async function postThrough(
  channel: PostChannel,
  config: AlertConfig,
  notice: AlertNotice,
): Promise<string | null> {
  try {
    if (channel === "webhook" && config.webhookUrl) await postAlert(config.webhookUrl, notice);
    if (channel === "pagerduty" && config.pagerDuty)
      await triggerPagerDuty(config.pagerDuty, notice);
    return null;
  } catch (reason) {
    return reason instanceof Error ? reason.message : "unknown error";
  }
}
