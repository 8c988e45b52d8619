import type { ProviderNotice } from "../channel.ts";
import { type Fields, fieldsOf, keyOf, listOf, textOf } from "./storable-json.ts";

/** What a notice does to sending, and to what. */
type Meaning = Pick<ProviderNotice, "effect" | "resource" | "summary">;

const NOTHING: Meaning = { effect: "none" };

/**
 * What a change of any field but `messages` means for sending
 * (https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview).
 *
 * @param field such as `account_update`
 * @param accountId the WhatsApp business account
 */
export function meaningOf(field: string, value: Fields, accountId: string): Meaning {
  return FIELDS.get(field)?.(value, accountId) ?? NOTHING;
}

const FIELDS: ReadonlyMap<string, (value: Fields, accountId: string) => Meaning> = new Map([
  ["account_update", accountUpdate],
  ["message_template_status_update", templateUpdate],
  ["phone_number_quality_update", numberUpdate],
]);

function accountUpdate(value: Fields, accountId: string): Meaning {
  const event = textOf(value["event"]) ?? "";
  const states = listOf(fieldsOf(value["ban_info"])["waba_ban_state"]);
  // Of this event only the state tells which way it went.
  const key = event === "DISABLED_UPDATE" ? `${event} ${textOf(states[0]) ?? ""}` : event;
  const about = { resource: `account:${accountId}` };
  const summary = ACCOUNT_STOPS.get(key);
  if (summary !== undefined) return { effect: "stops", ...about, summary };
  return ACCOUNT_ENDS.has(key) ? { effect: "ends", ...about } : NOTHING;
}

const ACCOUNT_STOPS: ReadonlyMap<string, string> = new Map([
  [
    "ACCOUNT_RESTRICTION",
    "Meta has restricted the WhatsApp account: some or all messages will not be sent. The Account Quality page in Meta's Business Manager says which, and until when.",
  ],
  [
    "ACCOUNT_VIOLATION",
    "Meta says that the WhatsApp account broke its rules. Another time may restrict or close it. The Account Quality page in Meta's Business Manager says why.",
  ],
  [
    "DISABLED_UPDATE DISABLE",
    "Meta has disabled the WhatsApp account: nothing is sent until a review in Meta's Business Manager succeeds.",
  ],
  [
    "DISABLED_UPDATE SCHEDULE_FOR_DISABLE",
    "Meta will soon disable the WhatsApp account. Ask for a review in Meta's Business Manager.",
  ],
  ["ACCOUNT_DELETED", "The WhatsApp account was deleted at Meta: nothing is sent or received."],
  [
    "ACCOUNT_OFFBOARDED",
    "The WhatsApp account was disconnected from the gateway at Meta: nothing is sent until it is connected again.",
  ],
]);
const ACCOUNT_ENDS: ReadonlySet<string> = new Set([
  "DISABLED_UPDATE REINSTATE",
  "ACCOUNT_RECONNECTED",
]);

function templateUpdate(value: Fields, accountId: string): Meaning {
  const event = textOf(value["event"]) ?? "";
  const name = keyOf(value["message_template_name"]);
  const id = keyOf(value["message_template_id"]) ?? name;
  // Nothing else would tell one unnamed template from another.
  const resource = `template:${id ?? `of ${accountId}`}`;
  const unpaused = fieldsOf(value["other_info"])["title"] === "UNPAUSE";
  if (unpaused || TEMPLATE_ENDS.has(event)) return { effect: "ends", resource };
  const happened = TEMPLATE_STOPS.get(event);
  if (happened === undefined) return NOTHING;
  const which = name === null ? "A WhatsApp template" : `The WhatsApp template ${name}`;
  return { effect: "stops", resource, summary: `${which} ${happened}` };
}

const TEMPLATE_STOPS: ReadonlyMap<string, string> = new Map([
  ["PAUSED", "was paused by Meta after bad feedback: it cannot be sent for some hours."],
  ["DISABLED", "was disabled by Meta: it cannot be sent any more."],
  ["FLAGGED", "was flagged by Meta after bad feedback: it will be disabled if that goes on."],
  ["REJECTED", "was rejected by Meta: it cannot be sent until it is changed and approved."],
]);
const TEMPLATE_ENDS: ReadonlySet<string> = new Set([
  "APPROVED",
  "REINSTATED",
  "UNPAUSE",
  "UNPAUSED",
]);

function numberUpdate(value: Fields, accountId: string): Meaning {
  const event = textOf(value["event"]) ?? "";
  const digits = (textOf(value["display_phone_number"]) ?? "").replace(/\D/g, "");
  const resource = `number:${digits === "" ? `of ${accountId}` : digits}`;
  if (NUMBER_ENDS.has(event)) return { effect: "ends", resource };
  const happened = NUMBER_STOPS.get(event);
  if (happened === undefined) return NOTHING;
  const which = digits === "" ? "A WhatsApp number" : `The WhatsApp number …${digits.slice(-4)}`;
  return { effect: "stops", resource, summary: `${which} ${happened}` };
}

const NUMBER_STOPS: ReadonlyMap<string, string> = new Map([
  ["FLAGGED", "was flagged by Meta after bad feedback: it may soon be allowed to send less."],
  ["DOWNGRADE", "may now write to fewer new people a day: Meta has lowered its limit."],
]);
const NUMBER_ENDS: ReadonlySet<string> = new Set(["UNFLAGGED", "UPGRADE", "THROUGHPUT_UPGRADE"]);
