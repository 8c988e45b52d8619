import { BoundedLog } from "./bounded-log.ts";
import { newSid } from "./new-sid.ts";

/** A text on its way to a person: accepted by the API, or written in the answer to a webhook. */
export interface SentMessage {
  sid: string;
  from: string;
  to: string;
  body: string;
  statusCallback: string | null;
  /** Seconds Twilio may keep it before it gives up. */
  validityPeriod: number | null;
  /** When it was accepted, ms since 1970. */
  at: number;
}

export interface LoggedMessage extends SentMessage {
  direction: "inbound" | "outbound-api" | "outbound-reply";
  status: MessageStatus;
  /** Why it was not delivered. */
  errorCode: number | null;
}

type MessageStatus = "queued" | "sent" | "delivered" | "undelivered" | "failed" | "received";

export interface MessageFilter {
  to?: string;
  from?: string;
}

/** Twilio's own log of an account's messages, both directions, and the opt-outs it enforces by itself. */
export class MessageLog {
  readonly #log: BoundedLog<LoggedMessage>;
  /** Both parties → their messages, oldest first: what a settled send asks about must not cost a walk of the log. */
  readonly #byPair = new Map<string, LoggedMessage[]>();
  readonly #optedOut = new Set<string>();

  /** @param capacity how many messages it keeps; the log's own default when absent */
  constructor(capacity?: number) {
    this.#log = new BoundedLog(capacity);
  }

  /** Records an inbound text once per id, and the opt-out or opt-in its words mean to Twilio. */
  receive(message: { sid: string; from: string; to: string; body: string }): void {
    if (this.#log.get(message.sid)) return;
    this.#applyKeyword(message);
    this.#append({
      ...message,
      statusCallback: null,
      validityPeriod: null,
      at: Date.now(),
      direction: "inbound",
      status: "received",
      errorCode: null,
    });
  }

  /** Accepts a text for a person; from here on it counts as sent, whatever becomes of the HTTP answer. */
  accept(
    message: Omit<SentMessage, "sid" | "at"> & { direction: "outbound-api" | "outbound-reply" },
  ): LoggedMessage {
    const accepted: LoggedMessage = {
      ...message,
      sid: newSid(),
      at: Date.now(),
      status: "queued",
      errorCode: null,
    };
    this.#append(accepted);
    return accepted;
  }

  /** Whether `person` texted STOP to `sender`: Twilio then refuses with 21610. */
  isOptedOut(person: string, sender: string): boolean {
    return this.#optedOut.has(pair(person, sender));
  }

  find(sid: string): LoggedMessage | undefined {
    return this.#log.get(sid);
  }

  /** Both directions, newest first, as the list endpoint shows them. */
  *newestFirst(filter: MessageFilter): Generator<LoggedMessage, void> {
    const { to, from } = filter;
    if (to !== undefined && from !== undefined) {
      const together = this.#byPair.get(pair(to, from)) ?? [];
      for (let index = together.length - 1; index >= 0; index--) {
        const message = together[index];
        if (message) yield message;
      }
      return;
    }
    for (const message of this.#log.newestFirst()) {
      if (matches(message, filter)) yield message;
    }
  }

  sent(filter: MessageFilter = {}): SentMessage[] {
    return this.#log.all().filter(isSent(filter)).map(publicFields);
  }

  onSent(listener: (message: SentMessage) => void): () => void {
    const sent = isSent({});
    return this.#log.listen((message) => {
      if (sent(message)) listener(publicFields(message));
    });
  }

  async waitForSent(
    count: number,
    filter: MessageFilter,
    timeoutMs: number,
  ): Promise<SentMessage[]> {
    return (await this.#log.waitFor(count, isSent(filter), timeoutMs)).map(publicFields);
  }

  clear(): void {
    this.#log.clear();
    this.#byPair.clear();
    this.#optedOut.clear();
  }

  #append(message: LoggedMessage): void {
    const key = pair(message.to, message.from);
    const together = this.#byPair.get(key);
    if (together) together.push(message);
    else this.#byPair.set(key, [message]);
    const left = this.#log.append(message.sid, message);
    if (left) this.#forget(left);
  }

  /** The oldest message of all is the oldest of its pair. */
  #forget(oldest: LoggedMessage): void {
    const key = pair(oldest.to, oldest.from);
    const together = this.#byPair.get(key);
    together?.shift();
    if (together?.length === 0) this.#byPair.delete(key);
  }

  #applyKeyword(message: { from: string; to: string; body: string }): void {
    const word = message.body.trim().toUpperCase();
    if (OPT_OUT_WORDS.has(word)) this.#optedOut.add(pair(message.from, message.to));
    if (OPT_IN_WORDS.has(word)) this.#optedOut.delete(pair(message.from, message.to));
  }
}

// Twilio's default words; the whole message must equal one of them
// (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out).
const OPT_OUT_WORDS = new Set("STOP STOPALL UNSUBSCRIBE END QUIT CANCEL REVOKE OPTOUT".split(" "));
const OPT_IN_WORDS = new Set(["START", "YES", "UNSTOP"]);

function pair(person: string, sender: string): string {
  return `${person} ${sender}`;
}

function isSent(filter: MessageFilter): (message: LoggedMessage) => boolean {
  return (message) => message.direction !== "inbound" && matches(message, filter);
}

function matches(message: LoggedMessage, filter: MessageFilter): boolean {
  return (
    (filter.to === undefined || message.to === filter.to) &&
    (filter.from === undefined || message.from === filter.from)
  );
}

function publicFields(message: LoggedMessage): SentMessage {
  const { sid, from, to, body, statusCallback, validityPeriod, at } = message;
  return { sid, from, to, body, statusCallback, validityPeriod, at };
}
