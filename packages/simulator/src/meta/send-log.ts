import { BoundedLog } from "../bounded-log.ts";
import { digitsOf } from "./envelope.ts";
import { isPhone } from "./people.ts";

/** A WhatsApp message on its way to a person: accepted by the Graph API. */
export interface WhatsAppSend {
  wamid: string;
  /** Meta's id of the business number. */
  from: string;
  /** Who gets it: E.164 with "+", a user id, or a group's id. */
  to: string;
  /** The property `recipient` when that is what named the person, else null. */
  recipient: string | null;
  type: string;
  /** What the person reads, in words. */
  body: string;
  /** What the sender attached for itself (`biz_opaque_callback_data`). */
  messageId: string | null;
  /** The request as it came. */
  request: Record<string, unknown>;
  /** When it was accepted, ms since 1970. */
  at: number;
}

/** That a message was shown as read. */
export interface WhatsAppRead {
  /** Meta's id of the message that was read. */
  wamid: string;
  /** Meta's id of the business number. */
  from: string;
  /** Whether the person is also shown that an answer is being written. */
  typing: boolean;
  at: number;
}

export interface WhatsAppFilter {
  /** A phone number, with or without "+", or a user id. */
  to?: string;
  from?: string;
  type?: string;
  messageId?: string;
}

/** What was accepted for people, and what was marked read. */
export class SendLog {
  readonly #sends = new BoundedLog<WhatsAppSend>();
  readonly #reads = new BoundedLog<WhatsAppRead>();
  #readCount = 0;

  accept(send: WhatsAppSend): void {
    this.#sends.append(send.wamid, send);
  }

  read(read: WhatsAppRead): void {
    this.#reads.append(String(this.#readCount++), read);
  }

  find(wamid: string): WhatsAppSend | undefined {
    return this.#sends.get(wamid);
  }

  sent(filter: WhatsAppFilter): WhatsAppSend[] {
    return this.#sends.all().filter(matcherOf(filter));
  }

  reads(): WhatsAppRead[] {
    return this.#reads.all();
  }

  waitForSent(count: number, filter: WhatsAppFilter, timeoutMs: number): Promise<WhatsAppSend[]> {
    return this.#sends.waitFor(count, matcherOf(filter), timeoutMs);
  }

  waitForReads(count: number, timeoutMs: number): Promise<WhatsAppRead[]> {
    return this.#reads.waitFor(count, () => true, timeoutMs);
  }

  onSent(listener: (send: WhatsAppSend) => void): () => void {
    return this.#sends.listen(listener);
  }

  clear(): void {
    this.#sends.clear();
    this.#reads.clear();
  }
}

function matcherOf({ to, ...filter }: WhatsAppFilter): (send: WhatsAppSend) => boolean {
  const person = to !== undefined && isPhone(to) ? `+${digitsOf(to)}` : to;
  const wanted = Object.entries(filter) as [keyof typeof filter, string | undefined][];
  return (send) =>
    (person === undefined || send.to === person) &&
    wanted.every(([key, value]) => value === undefined || send[key] === value);
}
