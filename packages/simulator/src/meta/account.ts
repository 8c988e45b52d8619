import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { NumberNames } from "./envelope.ts";

/** A business number, with the key that selects it at 360dialog. */
export interface WhatsAppNumber extends NumberNames {
  apiKey: string;
}

/** The business numbers of one account, and who may use them. */
export class WhatsAppAccount {
  readonly #numbers = new Map<string, WhatsAppNumber>();
  readonly #accessToken: string;

  constructor(accessToken: string) {
    this.#accessToken = accessToken;
  }

  /** The same id again changes its names and keeps its key. */
  add(names: NumberNames, key?: string): WhatsAppNumber {
    const apiKey = key ?? this.get(names.phoneNumberId)?.apiKey ?? randomBytes(16).toString("hex");
    const number = { ...names, apiKey };
    this.#numbers.set(names.phoneNumberId, number);
    return number;
  }

  get(phoneNumberId: string): WhatsAppNumber | undefined {
    return this.#numbers.get(phoneNumberId);
  }

  all(): WhatsAppNumber[] {
    return [...this.#numbers.values()];
  }

  /** Whether the request carries the account's token, as the Cloud API wants it. */
  isAuthorized(request: IncomingMessage): boolean {
    return isSame(request.headers.authorization, `Bearer ${this.#accessToken}`);
  }

  /** The number whose key the request carries, as 360dialog wants it. */
  numberOfKey(request: IncomingMessage): WhatsAppNumber | undefined {
    const key = request.headers["d360-api-key"];
    return [...this.#numbers.values()].find(({ apiKey }) => isSame(key, apiKey));
  }
}

function isSame(given: string | string[] | undefined, expected: string): boolean {
  const [one, other] = [Buffer.from(String(given ?? "")), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
