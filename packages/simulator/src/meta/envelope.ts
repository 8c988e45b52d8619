import { randomBytes } from "node:crypto";

/** A business number as webhooks name it. */
export interface NumberNames {
  /** Meta's id of it, digits. */
  phoneNumberId: string;
  /** Digits, without "+". */
  displayPhoneNumber: string;
}

/** The number the simulator has when none is named. */
export const DEFAULT_NUMBER: NumberNames = {
  phoneNumberId: "106540352242922",
  displayPhoneNumber: "447700900888",
};
/** The WhatsApp business account of all its numbers. */
const ACCOUNT_ID = "102290129340398";

/** Who wrote. At least one of the two is there. */
export interface Sender {
  /** With or without "+". */
  from?: string;
  /** Meta's own id of a person, such as `US.13491208655302741918`. */
  userId?: string;
}

/** A new message id in Meta's form. */
export function newWamid(): string {
  return `wamid.${randomBytes(36).toString("base64")}`;
}

/** Meta's form of a text; a withheld phone number is an absent key. */
export function textMessage(
  sender: Sender,
  text: { id: string; body: string; at: number },
): Record<string, unknown> {
  return {
    ...(sender.from === undefined ? {} : { from: digitsOf(sender.from) }),
    ...(sender.userId === undefined ? {} : { from_user_id: sender.userId }),
    id: text.id,
    timestamp: unixSeconds(text.at),
    text: { body: text.body },
    type: "text",
  };
}

/**
 * An entry of the envelope with messages and one contact per sender, as far as the messages name any.
 *
 * @param messages Meta's objects, or anything else that is to stand in their place
 * @param name the profile name of the senders
 */
export function messagesEntry(number: NumberNames, messages: unknown[], name: string): unknown {
  const senders = new Map<string, Sender>();
  for (const message of messages) {
    const sender = senderOf(message);
    const key = sender.userId ?? sender.from;
    // Meta sends no contacts with a change of number.
    if (key !== undefined && !isSystemMessage(message)) senders.set(key, sender);
  }
  const contacts = [...senders.values()].map(({ from, userId }) => ({
    profile: { name },
    ...(from === undefined ? {} : { wa_id: from }),
    ...(userId === undefined ? {} : { user_id: userId }),
  }));
  return entryOf("messages", {
    ...metadataOf(number),
    ...(contacts.length === 0 ? {} : { contacts }),
    messages,
  });
}

/** What stands at the head of every value of the field `messages`. */
export function metadataOf({ phoneNumberId, displayPhoneNumber }: NumberNames) {
  return {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: displayPhoneNumber, phone_number_id: phoneNumberId },
  };
}

/** One change of one field, in an entry of its own. */
export function entryOf(field: string, value: unknown): unknown {
  return { id: ACCOUNT_ID, changes: [{ value, field }] };
}

export function envelopeOf(entries: unknown[]): unknown {
  return { object: "whatsapp_business_account", entry: entries };
}

/** Who wrote a message in Meta's form; empty when it does not say. */
export function senderOf(message: unknown): Sender {
  if (typeof message !== "object" || message === null) return {};
  const { from, from_user_id: userId } = message as { from?: unknown; from_user_id?: unknown };
  return {
    ...(typeof from === "string" && from !== "" ? { from } : {}),
    ...(typeof userId === "string" && userId !== "" ? { userId } : {}),
  };
}

export function unixSeconds(ms: number): string {
  return String(Math.floor(ms / 1000));
}

export function digitsOf(phone: string): string {
  return phone.replaceAll(/\D/g, "");
}

function isSystemMessage(message: unknown): boolean {
  return (message as { type?: unknown }).type === "system";
}
