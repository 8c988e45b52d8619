import { digitsOf } from "./envelope.ts";
import type { Sender } from "./envelope.ts";

// https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
const WINDOW_MS = 24 * 60 * 60 * 1000;

/** Who has written to which number and when, and which ids are the same person. */
export class People {
  /** Person → number → when they last wrote to it, ms since 1970. */
  readonly #heard = new Map<string, Map<string, number>>();
  /** A person's other id. */
  readonly #other = new Map<string, string>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Somebody wrote: their window with this number is open from now on. */
  hear(sender: Sender, phoneNumberId: string): void {
    const { from, userId } = sender;
    if (from !== undefined && userId !== undefined) {
      this.#other.set(idOf(from), userId);
      this.#other.set(userId, idOf(from));
    }
    for (const person of [from, userId]) {
      if (person === undefined) continue;
      const numbers = this.#heard.get(idOf(person)) ?? new Map<string, number>();
      this.#heard.set(idOf(person), numbers.set(phoneNumberId, this.#now()));
    }
  }

  /** @param person a phone number or a user id */
  isWindowOpen(person: string, phoneNumberId: string): boolean {
    const heardAt = this.#heard.get(idOf(person))?.get(phoneNumberId);
    return heardAt !== undefined && this.#now() - heardAt < WINDOW_MS;
  }

  /** As if 24 hours had passed since they wrote, to any number. */
  closeWindow(person: string): void {
    this.#heard.delete(idOf(person));
    this.#heard.delete(this.otherIdOf(person) ?? "");
  }

  /** The phone number, in digits, of a user id; the user id of a phone number. */
  otherIdOf(person: string): string | undefined {
    return this.#other.get(idOf(person));
  }

  clear(): void {
    this.#heard.clear();
    this.#other.clear();
  }
}

/** A phone number or a user id as one of the two. */
export function toSender(person: string): Sender {
  return isPhone(person) ? { from: person } : { userId: person };
}

/** Digits of a phone number; user ids as they are. */
function idOf(person: string): string {
  return isPhone(person) ? digitsOf(person) : person;
}

/** Whether it is a phone number, with or without "+", and not a user id, which begins with a country's letters. */
export function isPhone(person: string): boolean {
  return /^\+?\d/.test(person);
}
