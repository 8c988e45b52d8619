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

const OPT_OUT: ErrorMeaning = { kind: "rejected", scope: "opt-out" };

/** Source: https://www.twilio.com/docs/api/errors/{code}. */
const BY_CODE: ReadonlyMap<number, ErrorMeaning> = new Map<number, ErrorMeaning>([
  // Nothing was taken: too many requests, the service says so, or the sender's queue is full.
  [20429, UNAVAILABLE],
  [20503, UNAVAILABLE],
  [21611, SENDER_BUSY],
  [30001, UNAVAILABLE], // queue overflow
  [30003, RECIPIENT_AWAY], // handset unreachable, "retry the message"
  [30022, SENDER_BUSY], // carrier rate limit
  [30023, SENDER_BUSY], // carrier daily cap, lifted at midnight
  [63018, UNAVAILABLE], // WhatsApp rate limit

  [30047, RECIPIENT_AWAY], // could not be put off to permitted hours, "neither queued nor sent"

  // Twilio does not say whether the message left, so it may have.
  [20500, UNKNOWN],
  [30008, UNKNOWN],
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
  [30640, RECIPIENT], // Compliance Toolkit blocks this number
  [63014, RECIPIENT], // blocked by the user on WhatsApp

  // Nothing from this account will pass until a human acts.
  [20003, ACCOUNT], // credentials
  [20005, ACCOUNT], // account not active
  [21609, ACCOUNT], // our status callback URL is invalid, and each send names it
  [30002, ACCOUNT], // account suspended

  // Nothing from this number of ours will pass until a human acts.
  [21212, SENDER], // not a number
  [21603, SENDER], // no number
  [21606, SENDER], // not ours, or unable to text
  [21703, SENDER], // its Messaging Service has no usable sender
  [21704, SENDER],
  [21705, SENDER],
  [30024, SENDER], // not provisioned on the carrier
  [30034, SENDER], // not registered for A2P 10DLC
  [30035, SENDER], // still being registered

  [21408, REGION], // geo permission of the recipient's country is off
  [21608, UNVERIFIED], // a trial account texts verified numbers only

  // The same text will be refused again.
  [21602, CONTENT],
  [21617, CONTENT], // longer than 1600 characters
  [21619, CONTENT],
  [21620, CONTENT],
  [21623, CONTENT],
  [30007, CONTENT], // filtered

  [30610, OTHER], // Compliance Toolkit: marketing to this recipient at this hour
  [63016, OTHER], // WhatsApp's 24 h window has closed
]);

/** What Twilio refuses because the recipient wants no texts. */
export const OPT_OUT_CODES: ReadonlySet<number> = new Set(
  [...BY_CODE].flatMap(([code, meaning]) => (meaning === OPT_OUT ? [code] : [])),
);

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
