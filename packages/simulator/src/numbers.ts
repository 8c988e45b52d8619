import { newSid } from "./new-sid.ts";
import { retryRules } from "./retry-rules.ts";

/** What Twilio requests when something reaches a number. An empty string is "not set", as in Twilio's own answers. */
export interface NumberWebhooks {
  smsUrl: string;
  smsMethod: string;
  smsFallbackUrl: string;
  smsFallbackMethod: string;
  voiceUrl: string;
  voiceMethod: string;
  statusCallback: string;
  statusCallbackMethod: string;
  /** When set, Twilio asks this application's URLs instead of `smsUrl`. */
  smsApplicationSid: string;
  voiceApplicationSid: string;
}

/** A number the account owns. */
export interface SimulatedNumber extends NumberWebhooks {
  /** `PN` and 32 hexadecimal digits. */
  sid: string;
  /** E.164 with `+`. */
  phoneNumber: string;
}

/** Why Twilio does not take a configuration; every such refusal is HTTP 400. */
export interface NumberRefusal {
  code: number;
  message: string;
}

const UNSET: NumberWebhooks = {
  smsUrl: "",
  smsMethod: "POST",
  smsFallbackUrl: "",
  smsFallbackMethod: "POST",
  voiceUrl: "",
  voiceMethod: "POST",
  statusCallback: "",
  statusCallbackMethod: "POST",
  smsApplicationSid: "",
  voiceApplicationSid: "",
};

/** The numbers of the account and where their webhooks go. */
export class NumberBook {
  readonly #numbers = new Map<string, SimulatedNumber>();

  /**
   * Adds a number, or changes the webhooks of one that is there.
   * @throws RangeError for what Twilio would refuse, with its code
   */
  add(phoneNumber: string, webhooks: Partial<NumberWebhooks>): SimulatedNumber {
    if (!E164.test(phoneNumber)) throw new RangeError(`21421: ${phoneNumber} is not E.164`);
    const known = this.find(phoneNumber);
    const number = known ?? { ...UNSET, sid: newSid("PN"), phoneNumber };
    const refusal = this.update(number, webhooks);
    if (refusal) throw new RangeError(`${refusal.code}: ${refusal.message}`);
    this.#numbers.set(number.sid, number);
    return number;
  }

  /** Changes the named settings, all or none of them. */
  update(number: SimulatedNumber, changed: Partial<NumberWebhooks>): NumberRefusal | null {
    const refusal = refusalOf({ ...number, ...changed });
    if (refusal === null) Object.assign(number, changed);
    return refusal;
  }

  get(sid: string): SimulatedNumber | undefined {
    return this.#numbers.get(sid);
  }

  find(phoneNumber: string): SimulatedNumber | undefined {
    return this.all().find((number) => number.phoneNumber === phoneNumber);
  }

  /** In the order they were added. */
  all(): SimulatedNumber[] {
    return [...this.#numbers.values()];
  }
}

const E164 = /^\+[1-9]\d{6,14}$/;
const URLS = ["smsUrl", "smsFallbackUrl", "voiceUrl", "statusCallback"] as const;
const METHODS = ["smsMethod", "smsFallbackMethod", "voiceMethod", "statusCallbackMethod"] as const;

/** Codes: https://www.twilio.com/docs/api/errors */
function refusalOf(webhooks: NumberWebhooks): NumberRefusal | null {
  for (const key of URLS) {
    const url = webhooks[key];
    if (url === "") continue;
    if (!isHttpUrl(url)) return { code: 21502, message: `${key} is not a valid URL: ${url}` };
    try {
      retryRules(url);
    } catch (error) {
      if (error instanceof RangeError) return { code: 11243, message: error.message };
      throw error;
    }
  }
  for (const key of METHODS) {
    const method = webhooks[key];
    if (method !== "GET" && method !== "POST") {
      return { code: 21403, message: `${key} is not a valid method: ${method}` };
    }
  }
  if (webhooks.smsFallbackUrl !== "" && webhooks.smsUrl === "") {
    return { code: 21406, message: "Cannot set SmsFallbackUrl without setting SmsUrl" };
  }
  return null;
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}
