import type { PersonIds } from "../channel.ts";
import { normaliseAddress } from "../phone-number.ts";
import { type Fields, fieldsOf, textOf } from "./storable-json.ts";

/** What a webhook says about people beside its messages. */
export interface Contacts {
  list: Fields[];
  /** Whether there is only one message, so that a single contact must be its sender. */
  ofOneMessage: boolean;
}

/**
 * Who sent a message. Since 2026 a person may have no phone number (the key is missing or empty) but
 * a business-scoped user id
 * (https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids).
 * Of a change of number or of user id, who that person is from now on, and formerly was.
 *
 * @returns null when the message tells neither a number nor a user id.
 */
export function readPerson(message: Fields, contacts: Contacts): PersonIds | null {
  const system = fieldsOf(message["system"]);
  return message["type"] === "system" && CHANGES.has(textOf(system["type"]) ?? "")
    ? changedPerson(message, system)
    : senderOf(message, contacts);
}

function senderOf(message: Fields, contacts: Contacts): PersonIds | null {
  const contact = contactOf(message, contacts);
  const phone = firstOf(phoneOf, message["from"], contact["wa_id"]);
  const userId = firstOf(
    userIdOf,
    message["from_user_id"],
    // A number stands here as a rule; whoever has none is known by the id, wherever it stands.
    phone === null ? message["from"] : null,
    contact["user_id"],
    // The id shared by several portfolios names the same person twice, so only if there is no other.
    phone === null ? message["from_parent_user_id"] : null,
    phone === null ? contact["parent_user_id"] : null,
  );
  return phone === null && userId === null ? null : { phone, userId };
}

/** The contact that is the sender. When in doubt none: two people must never become one. */
function contactOf(message: Fields, { list, ofOneMessage }: Contacts): Fields {
  const phone = textOf(message["from"]);
  const userId = textOf(message["from_user_id"]);
  const own = list.find(
    (contact) =>
      (phone !== null && textOf(contact["wa_id"]) === phone) ||
      (userId !== null && textOf(contact["user_id"]) === userId),
  );
  if (own) return own;
  const [only] = list;
  if (only === undefined || list.length > 1) return {};
  const otherUser = userId !== null && textOf(only["user_id"]) !== null;
  // "Phone number and wa_id may not match" (Brazil, Mexico): a lone contact still is the sender.
  return ofOneMessage && !otherUser ? only : {};
}

const CHANGES: ReadonlySet<string> = new Set([
  "user_changed_number",
  "customer_changed_number",
  "user_changed_user_id",
]);

function changedPerson(message: Fields, system: Fields): PersonIds | null {
  // "User … changed from <old> to <new>" is all that some of them say.
  const told = / from (\S+) to \S+$/.exec(textOf(system["body"]) ?? "")?.[1];
  const formerly = {
    phone: firstOf(phoneOf, message["from"], told),
    userId: firstOf(
      userIdOf,
      message["from_user_id"],
      system["previous_user_id"],
      told !== undefined && BSUID.test(told) ? told : null,
    ),
  };
  const now = {
    phone: firstOf(phoneOf, system["wa_id"], system["new_wa_id"]),
    userId: firstOf(userIdOf, system["user_id"], system["parent_user_id"]),
  };
  const isKnown = formerly.phone !== null || formerly.userId !== null;
  if (now.phone === null && now.userId === null) return isKnown ? formerly : null;
  return isKnown ? { ...now, formerly } : now;
}

const BSUID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;

/** Meta writes numbers as digits with their country code, without "+". */
function phoneOf(value: unknown): string | null {
  const digits = /^\+?(\d+)$/.exec(textOf(value) ?? "")?.[1];
  return digits === undefined ? null : normaliseAddress(`+${digits}`);
}

// "CC." and at most 128 alphanumerics today. Held to less, so that a new form loses no customer; but
// it must not pass for a number.
function userIdOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && /^(?=.*[A-Za-z])\w[\w.:=-]{0,149}$/.test(text) ? text : null;
}

function firstOf(read: (value: unknown) => string | null, ...values: unknown[]): string | null {
  for (const value of values) {
    const found = read(value);
    if (found !== null) return found;
  }
  return null;
}
