import type { SendOutcome } from "../channel.ts";

type Rejection = Extract<SendOutcome, { kind: "rejected" }>;

/** What an error of Twilio means for the message it was answered to. */
export type ErrorMeaning =
  | { kind: "rejected"; scope: Rejection["scope"] }
  | { kind: "unavailable" }
  | { kind: "unknown" };

const RECIPIENT: ErrorMeaning = { kind: "rejected", scope: "recipient" };
const OPT_OUT: ErrorMeaning = { kind: "rejected", scope: "opt-out" };
const CONTENT: ErrorMeaning = { kind: "rejected", scope: "content" };
const ACCOUNT: ErrorMeaning = { kind: "rejected", scope: "account" };
const OTHER: ErrorMeaning = { kind: "rejected", scope: "other" };
const UNAVAILABLE: ErrorMeaning = { kind: "unavailable" };
const UNKNOWN: ErrorMeaning = { kind: "unknown" };

/** Source: https://www.twilio.com/docs/api/errors/{code}. */
const BY_CODE: ReadonlyMap<number, ErrorMeaning> = new Map<number, ErrorMeaning>([
  // Nothing was taken: too many requests, the service says so, or the sender's queue is full.
  [20429, UNAVAILABLE],
  [20503, UNAVAILABLE],
  [21611, UNAVAILABLE],
  [30001, UNAVAILABLE], // queue overflow
  [30003, UNAVAILABLE], // handset unreachable, "retry the message"
  [30022, UNAVAILABLE], // carrier rate limit
  [30023, UNAVAILABLE], // carrier daily cap, lifted at midnight
  [63018, UNAVAILABLE], // WhatsApp rate limit

  // Twilio does not say whether the message left, so it may have.
  [20500, UNKNOWN],
  [30008, UNKNOWN],
  [30047, UNKNOWN],
  [30410, UNKNOWN], // given up "to avoid duplicate message delivery"

  [21610, OPT_OUT],

  // This number cannot or will not be reached.
  [21211, RECIPIENT],
  [21217, RECIPIENT],
  [21604, RECIPIENT],
  [21612, RECIPIENT],
  [21614, RECIPIENT],
  [21635, RECIPIENT], // landline
  [30004, RECIPIENT], // blocked
  [30005, RECIPIENT],
  [30006, RECIPIENT], // landline or unreachable carrier
  [63014, RECIPIENT], // blocked by the user on WhatsApp

  // Nothing from this account or sender will pass until a human acts.
  [20003, ACCOUNT], // credentials
  [20005, ACCOUNT], // account not active
  [21212, ACCOUNT], // invalid sender
  [21408, ACCOUNT], // region not permitted
  [21603, ACCOUNT],
  [21606, ACCOUNT], // sender is not ours
  [21608, ACCOUNT], // trial account
  [21609, ACCOUNT], // our status callback URL is invalid
  [21703, ACCOUNT],
  [21704, ACCOUNT],
  [21705, ACCOUNT],
  [30002, ACCOUNT], // account suspended
  [30024, ACCOUNT],
  [30034, ACCOUNT], // unregistered for A2P 10DLC
  [30035, ACCOUNT],
  [30610, ACCOUNT],
  [30640, ACCOUNT],

  // The same text will be refused again.
  [21602, CONTENT],
  [21617, CONTENT], // longer than 1600 characters
  [21619, CONTENT],
  [21620, CONTENT],
  [21623, CONTENT],
  [30007, CONTENT], // filtered

  [63016, OTHER], // WhatsApp's 24 h window has closed
]);

const BY_STATUS: ReadonlyMap<number, ErrorMeaning> = new Map<number, ErrorMeaning>([
  [401, ACCOUNT],
  [403, ACCOUNT],
  [429, UNAVAILABLE], // "never processed and is always safe to retry"
]);

/**
 * The meaning of an answer that is not an acceptance: by Twilio's error code first, by HTTP status
 * second. What neither table knows is refused for good when it is a 4xx, and otherwise unknown.
 */
export function meaningOf(code: number | undefined, status: number): ErrorMeaning {
  const known = (code === undefined ? undefined : BY_CODE.get(code)) ?? BY_STATUS.get(status);
  if (known) return known;
  return status >= 400 && status < 500 ? OTHER : UNKNOWN;
}
