import type { ProviderNotice, WebhookItem, WebhookResult } from "../channel.ts";
import { readMessage, type Reception } from "./read-message.ts";
import { meaningOf } from "./read-notice.ts";
import { readStatus } from "./read-status.ts";
import {
  type Fields,
  fieldsOf,
  isFields,
  keyOf,
  listOf,
  parseStorableJson,
  textOf,
} from "./storable-json.ts";

/**
 * Reads everything in a webhook of Meta, in its order: any number of entries, changes, messages and
 * statuses (up to 1000 updates in 3 MB). Below the envelope nothing is a problem: what is odd becomes
 * an item of its own, with its payload, and its neighbours are read as if it were not there.
 *
 * @param defaults `to` stands in for a missing `metadata.phone_number_id`
 */
export function readWebhook(
  rawBody: Buffer,
  provider: string,
  defaults?: { to?: string },
): WebhookResult {
  const body = parseStorableJson(rawBody);
  if (!isFields(body)) return { ok: false, problems: ["body"] };
  const entries = body["entry"];
  const problems = [
    ...(objectOf(body) === "whatsapp_business_account" ? [] : ["object"]),
    ...(Array.isArray(entries) ? [] : ["entry"]),
  ];
  if (!Array.isArray(entries) || problems.length > 0) return { ok: false, problems };
  const context = { provider, to: defaults?.to ?? null };
  return { ok: true, items: entries.flatMap((entry) => readEntry(entry, context)) };
}

interface Context {
  provider: string;
  /** Stands in for a missing receiver. */
  to: string | null;
}

// Some of Meta's own examples of account_update carry `object` and `field` one or two levels too
// deep, so both are looked for there when they are missing.
function objectOf(body: Fields): unknown {
  const entry = fieldsOf(listOf(body["entry"])[0]);
  const change = fieldsOf(listOf(entry["changes"])[0]);
  return (
    body["object"] ?? entry["object"] ?? change["object"] ?? fieldsOf(change["value"])["object"]
  );
}

function fieldOf(entry: Fields, change: Fields): string | null {
  const value = fieldsOf(change["value"]);
  return keyOf(change["field"]) ?? keyOf(value["field"]) ?? keyOf(entry["field"]);
}

function readEntry(entry: unknown, context: Context): WebhookItem[] {
  if (!isFields(entry)) return [notice(context, "", "unknown", { entry: [entry] })];
  const accountId = keyOf(entry["id"]) ?? "";
  const changes = listOf(entry["changes"]);
  if (changes.length === 0) {
    return [notice(context, accountId, keyOf(entry["field"]) ?? "unknown", entry)];
  }
  return changes.flatMap((change) => readChange(change, entry, accountId, context));
}

function readChange(
  item: unknown,
  entry: Fields,
  accountId: string,
  context: Context,
): WebhookItem[] {
  const change = fieldsOf(item);
  const value = fieldsOf(change["value"]);
  const field = fieldOf(entry, change);
  if (field === "messages" || field === null) {
    const items = readMessages(value, accountId, context);
    if (items.length > 0) return items;
  }
  // With what stands around it: the time tells one pause of a template from the next.
  return [notice(context, accountId, field ?? "unknown", { ...entry, changes: [item] }, value)];
}

function readMessages(value: Fields, accountId: string, context: Context): WebhookItem[] {
  const ownNumber = keyOf(fieldsOf(value["metadata"])["phone_number_id"]);
  const messages = listOf(value["messages"]);
  const reception: Reception = {
    provider: context.provider,
    accountId,
    to: ownNumber ?? context.to,
    contacts: {
      list: listOf(value["contacts"]).filter(isFields),
      ofOneMessage: messages.length === 1,
    },
  };
  const about = ownNumber ?? accountId;
  const { metadata, errors } = value;
  return [
    ...messages.map((message) => readMessage(message, reception)),
    ...listOf(value["statuses"]).map((status): WebhookItem => {
      const receipt = readStatus(status, context.provider);
      if (receipt !== null) return { kind: "receipt", receipt };
      return notice(context, about, "statuses", isFields(status) ? status : { statuses: [status] });
    }),
    ...(listOf(errors).length > 0 ? [notice(context, about, "errors", { metadata, errors })] : []),
  ];
}

function notice(
  { provider }: Context,
  accountId: string,
  field: string,
  payload: Fields,
  value: Fields = {},
): WebhookItem {
  const about = accountId !== "" ? accountId : (ownNumberOf(value) ?? "");
  const told: ProviderNotice = {
    provider,
    channel: "whatsapp",
    accountId: about,
    field,
    payload,
    ...meaningOf(field, value, about),
  };
  return { kind: "notice", notice: told };
}

function ownNumberOf(value: Fields): string | null {
  const number = textOf(value["display_phone_number"]) ?? textOf(value["phone_number"]);
  return keyOf(number?.replace(/[^\d]/g, ""));
}
