import type { Receipt, RejectionScope } from "../channel.ts";
import { meaningOf } from "./error-table.ts";
import { type Fields, fieldsOf, isFields, keyOf, listOf, textOf } from "./storable-json.ts";

/**
 * Reads one item of `statuses[]`
 * (https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status).
 * Our own id is in `biz_opaque_callback_data`; anything in it that is not a UUID is not ours.
 *
 * @returns null for what names no message or says nothing about its delivery, such as `deleted`.
 */
export function readStatus(item: unknown, provider: string): Receipt | null {
  if (!isFields(item)) return null;
  const providerMessageId = keyOf(item["id"]);
  const status = STATUSES.get(textOf(item["status"]) ?? "");
  if (providerMessageId === null || status === undefined) return null;
  const codes = listOf(item["errors"]).map((error) => codeOf(fieldsOf(error)["code"]));
  const participant = participantOf(item);
  const scope = status === "FAILED" ? scopeOf(codes[0]) : null;
  return {
    provider,
    providerMessageId,
    messageId: ownId(item["biz_opaque_callback_data"]),
    status,
    code: status === "FAILED" ? (codes[0] ?? "unknown") : null,
    ...(status === "FAILED" && codes.includes(STOPPED_MARKETING) && { optOut: "marketing" }),
    ...(scope !== null && { scope }),
    ...(participant !== null && { participant }),
  };
}

const STATUSES: ReadonlyMap<string, Receipt["status"]> = new Map<string, Receipt["status"]>([
  ["sent", "SENT"],
  ["delivered", "DELIVERED"],
  ["read", "READ"],
  // A voice message that was listened to.
  ["played", "READ"],
  ["failed", "FAILED"],
]);

// "User has stopped marketing messages"; Meta's table of error codes.
const STOPPED_MARKETING = "131050";

/** What Meta finds out only after it has taken a message: an account that is locked or has not paid. */
function scopeOf(code: string | null | undefined): RejectionScope | null {
  if (code === null || code === undefined) return null;
  const meaning = meaningOf({ code: Number(code), subcode: undefined, status: 400, body: "" });
  const isWider =
    meaning.kind === "rejected" && ["account", "sender", "region"].includes(meaning.scope);
  return isWider ? meaning.scope : null;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function ownId(value: unknown): string | null {
  return typeof value === "string" && UUID.test(value) ? value.toLowerCase() : null;
}

function codeOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && /^\d{1,9}$/.test(text) ? text : null;
}

// One message to a group gets a status per participant; the second name is a misspelling that has
// been seen, the third stands for those who have no number.
function participantOf(status: Fields): string | null {
  if (status["recipient_type"] !== "group") return null;
  return (
    keyOf(status["recipient_participant_id"]) ??
    keyOf(status["participant_recipient_id"]) ??
    keyOf(status["recipient_participant_user_id"])
  );
}
