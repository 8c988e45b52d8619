import { createHash } from "node:crypto";
import type { InboundMessage, WebhookItem } from "../channel.ts";
import { type Described, describeMessage } from "./describe-message.ts";
import { type Contacts, readPerson } from "./read-person.ts";
import { type Fields, isFields, keyOf, textOf } from "./storable-json.ts";

/** Where in a webhook a message stood. */
export interface Reception {
  provider: string;
  /** The WhatsApp business account; empty when it was not named. */
  accountId: string;
  /** Our phone_number_id; null when it was not named. */
  to: string | null;
  contacts: Contacts;
}

/**
 * Reads one item of `messages[]`, of any type, known or not.
 *
 * @returns unroutable when nobody could be answered: no object, no sender, or no receiver.
 */
export function readMessage(
  item: unknown,
  { provider, accountId, to, contacts }: Reception,
): WebhookItem {
  if (!isFields(item)) return unroutable(item, "", to);
  const ids = readPerson(item, contacts);
  const from = ids?.phone ?? ids?.userId;
  if (!ids || !from || to === null) return unroutable(item, from ?? "", to);

  const described = describeMessage(item);
  const payload = payloadOf(item, described);
  const sentAt = timeOf(item["timestamp"]);
  return {
    kind: "message",
    message: {
      channel: "whatsapp",
      provider,
      providerMessageId: idOf(item),
      accountId,
      from,
      ids,
      to,
      ...described,
      ...(payload !== undefined && { payload }),
      ...(sentAt && { sentAt }),
    },
  };
}

function unroutable(item: unknown, sender: string, to: string | null): WebhookItem {
  return {
    kind: "unroutable",
    providerMessageId: idOf(item),
    sender,
    receiver: to ?? "",
    payload: isFields(item) ? item : { messages: [item] },
  };
}

// What has no id is known by its content, so that its repeat is a duplicate.
function idOf(item: unknown): string {
  const id = isFields(item) ? keyOf(item["id"]) : null;
  return id ?? `sha256:${createHash("sha256").update(JSON.stringify(item)).digest("hex")}`;
}

// Of a plain text, the words say everything but what it refers to and where it was written.
const BESIDE_TEXT = ["context", "referral", "group_id"];

function payloadOf(item: Fields, { type }: Described): InboundMessage["payload"] {
  if (type !== "text") return item;
  const beside = BESIDE_TEXT.filter((name) => item[name] !== undefined && item[name] !== null);
  return beside.length > 0
    ? Object.fromEntries(beside.map((name) => [name, item[name]]))
    : undefined;
}

// In seconds; milliseconds have been seen, and they are past this for any time since 1973.
const FIRST_IN_MILLISECONDS = 100_000_000_000;

function timeOf(timestamp: unknown): Date | undefined {
  const text = textOf(timestamp) ?? "";
  if (!/^[1-9]\d{0,13}$/.test(text)) return undefined;
  const time = Number(text);
  return new Date(time < FIRST_IN_MILLISECONDS ? time * 1000 : time);
}
