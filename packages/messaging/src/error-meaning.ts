import type { RejectionScope, Unavailable } from "./channel.ts";

/** What an error of a provider means for the message it was answered to. */
export type ErrorMeaning =
  | { kind: "rejected"; scope: RejectionScope }
  | Omit<Unavailable, "code" | "retryAfterMs">
  | { kind: "unknown" };

const rejected = (scope: RejectionScope): ErrorMeaning => ({ kind: "rejected", scope });

// What the error tables of all providers are made of.
export const RECIPIENT = rejected("recipient");
export const CONTENT = rejected("content");
export const ACCOUNT = rejected("account");
export const SENDER = rejected("sender");
export const REGION = rejected("region");
export const UNVERIFIED = rejected("unverified-recipient");
export const OTHER = rejected("other");
export const UNAVAILABLE: ErrorMeaning = { kind: "unavailable" };
export const SENDER_BUSY: ErrorMeaning = { kind: "unavailable", about: "sender" };
export const RECIPIENT_AWAY: ErrorMeaning = { kind: "unavailable", about: "recipient" };
export const UNKNOWN: ErrorMeaning = { kind: "unknown" };
