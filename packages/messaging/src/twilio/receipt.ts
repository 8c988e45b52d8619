import type { Receipt, ReceiptResult, WebhookRequest } from "../channel.ts";
import { OPT_OUT_CODES } from "./error-table.ts";

/**
 * Reads a status callback of Twilio
 * (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status). `SmsSid` and
 * `SmsStatus` are the older names of the same parameters. Our own id is `m` in the query of the
 * URL; anything in it that is not a UUID is not ours and is ignored.
 *
 * @returns the receipt, or the names of the parameters that cannot be read. A status nobody has
 *   heard of is one of those: guessing could take back a delivery.
 */
export function parseReceipt({
  url,
  params,
}: Pick<WebhookRequest, "url" | "params">): ReceiptResult {
  const sid = params["MessageSid"] ?? params["SmsSid"];
  const word = params["MessageStatus"] ?? params["SmsStatus"];
  const status = typeof word === "string" ? STATUSES.get(word) : undefined;
  const problems = [];
  if (typeof sid !== "string" || !PROVIDER_ID.test(sid)) problems.push("MessageSid");
  if (status === undefined) problems.push("MessageStatus");
  if (problems.length > 0) return { ok: false, problems };
  const code = status === "FAILED" ? (errorCode(params["ErrorCode"]) ?? (word as string)) : null;
  const isOptOut = code !== null && OPT_OUT_CODES.has(Number(code));
  return {
    ok: true,
    receipt: {
      provider: "twilio",
      providerMessageId: sid as string,
      messageId: ownId(url),
      status: status as Receipt["status"],
      code,
      ...(isOptOut && { optOut: "all" }),
    },
  };
}

// Source: https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
const STATUSES: ReadonlyMap<string, Receipt["status"]> = new Map<string, Receipt["status"]>([
  ["accepted", "SENT"],
  ["scheduled", "SENT"],
  ["queued", "SENT"],
  ["sending", "SENT"],
  ["sent", "SENT"],
  ["delivered", "DELIVERED"],
  ["partially_delivered", "DELIVERED"],
  ["read", "READ"],
  ["undelivered", "FAILED"],
  ["failed", "FAILED"],
  ["canceled", "FAILED"],
]);

// As in inbound-message.ts: an opaque key that must only be storable.
const PROVIDER_ID = /^[!-~]{1,64}$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function ownId(url: string): string | null {
  const id = URL.parse(url)?.searchParams.get("m") ?? "";
  return UUID.test(id) ? id.toLowerCase() : null;
}

function errorCode(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" && /^[1-9]\d{0,9}$/.test(value) ? value : undefined;
}
