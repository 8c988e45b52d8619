import {
  ACCOUNT,
  CONTENT,
  OTHER,
  RECIPIENT,
  RECIPIENT_AWAY,
  REGION,
  SENDER,
  SENDER_BUSY,
  UNAVAILABLE,
  UNKNOWN,
  UNVERIFIED,
  type ErrorMeaning,
} from "../error-meaning.ts";

/** What an answer that is not an acceptance says about its reason. */
export interface Refusal {
  /** Meta's `error.code`. */
  code: number | undefined;
  /** Meta's `error.error_subcode`. */
  subcode: number | undefined;
  status: number;
  /** The whole answer, as it was sent. */
  body: string;
}

const MARKETING: ErrorMeaning = { kind: "rejected", scope: "marketing-opt-out" };

/** One recipient is written to too fast: Meta asks for 4^n seconds before the next try. */
export const PAIR_RATE = { kind: "unavailable", about: "recipient", waitBaseSeconds: 4 } as const;

/**
 * Source: the error codes of developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes,
 * which also says to go by the code: throttles come with HTTP 400, 403 or 429.
 */
const BY_CODE: ReadonlyMap<number, ErrorMeaning> = new Map<number, ErrorMeaning>([
  // Too much, of the app, of the account, of one number, of one recipient.
  [4, UNAVAILABLE],
  [80007, UNAVAILABLE],
  [130429, SENDER_BUSY],
  [131056, PAIR_RATE],
  [133016, SENDER_BUSY],

  // Meta's own failures. 1 and 131000 name no cause, but Meta answers with an id or with an error,
  // never with both, and words 131000 as "message failed to send": nothing was sent.
  [1, UNAVAILABLE],
  [2, UNAVAILABLE],
  [131000, UNAVAILABLE],
  [131016, UNAVAILABLE],
  [131057, SENDER_BUSY], // the number is being upgraded, for a minute
  [133004, UNAVAILABLE],
  // A linked file could not be fetched, more often than not for a while only. That says nothing
  // about Meta: whoever else is written to need not wait.
  [131053, RECIPIENT_AWAY],

  // Nothing from this account will pass until a human acts.
  [0, ACCOUNT], // credentials
  [3, ACCOUNT],
  [10, ACCOUNT],
  [190, ACCOUNT], // the access token has expired
  [368, ACCOUNT], // blocked for violating a policy
  [131005, ACCOUNT],
  [131031, ACCOUNT], // locked
  [131042, ACCOUNT], // payment

  // Nothing from this number of ours will pass until a human acts.
  [33, SENDER], // deleted
  [131037, SENDER], // its display name is not approved
  [131045, SENDER], // its certificate
  [133010, SENDER], // not registered

  [130497, REGION],
  [131030, UNVERIFIED], // a test number writes to listed recipients only

  [130472, RECIPIENT], // takes part in an experiment without such messages
  [131026, RECIPIENT], // not on WhatsApp, too old an app, terms not accepted

  [131050, MARKETING],

  // The same message will be refused again.
  [100, CONTENT],
  [131008, CONTENT],
  [131009, CONTENT],
  [131021, CONTENT], // to ourselves
  [131047, CONTENT], // the customer service window has closed: only a template will do
  [131051, CONTENT],
  [131052, CONTENT],
  [131062, CONTENT], // not to be sent to a user id
  [135000, CONTENT],

  // Nothing is wrong with the message; sending it again soon makes matters worse.
  [131048, OTHER], // too many were flagged as spam
  [131049, OTHER], // "healthy ecosystem": not before a day has passed
]);

const BY_STATUS: ReadonlyMap<number, ErrorMeaning> = new Map<number, ErrorMeaning>([
  [401, ACCOUNT],
  [403, ACCOUNT],
  [429, UNAVAILABLE],
]);

/**
 * What 360dialog itself refuses has no code, and one status for everything
 * (https://docs.360dialog.com/docs/support/api-error-message-list).
 */
const BY_WORDS: readonly (readonly [RegExp, ErrorMeaning])[] = [
  [/exceeded the endpoint rate limit/i, UNAVAILABLE],
  [/has been disabled|due to lack of payment/i, ACCOUNT],
];

// Graph's way to say that there is no such number, or that it is not ours to use.
const NO_SUCH_OBJECT = { code: 100, subcode: 33 };

/**
 * The meaning of an answer that is not an acceptance: by Meta's error code first, by HTTP status
 * last. What no table knows is refused for good when it is a 4xx, and otherwise unknown.
 */
export function meaningOf({ code, subcode, status, body }: Refusal): ErrorMeaning {
  if (code === NO_SUCH_OBJECT.code && subcode === NO_SUCH_OBJECT.subcode) return SENDER;
  const known = code === undefined ? byWords(status, body) : byCode(code);
  return known ?? BY_STATUS.get(status) ?? (isRefusal(status) ? OTHER : UNKNOWN);
}

function byCode(code: number): ErrorMeaning | undefined {
  if (code >= 200 && code <= 299) return ACCOUNT; // permissions
  if (code >= 132_000 && code <= 132_999) return CONTENT; // templates and flows
  return BY_CODE.get(code);
}

function byWords(status: number, body: string): ErrorMeaning | undefined {
  return isRefusal(status) ? BY_WORDS.find(([words]) => words.test(body))?.[1] : undefined;
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500;
}
