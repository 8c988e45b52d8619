import type { Database, Tx } from "@jobrun/db";
import type { TwilioMessageDeps } from "../http/twilio-request.ts";
import type { Events } from "../telemetry/events.ts";
import type { Call } from "./parse-call.ts";
import type { RecentKeys } from "./recent-keys.ts";

/** What everything about calls needs. */
export interface CallDeps extends TwilioMessageDeps {
  db: Database;
  events: Events;
  wakeOutbox: () => void;
  /** Milliseconds since the epoch */
  now: () => number;
  /** Sender of the SYSTEM fail-safe, E.164; else the called number */
  failsafeSender: string | undefined;
  /** A caller is texted once in this time */
  cooldownMinutes: number;
  /**
   * Ends the sign-up whose owner was asked to make a test call to this number, and queues what they
   * are told, in the caller's transaction.
   *
   * @returns what to do after the commit; null when it ended none
   */
  completeTestCall: (
    tx: Tx,
    call: { number: string; requestId: string },
  ) => Promise<(() => void) | null>;
  /** Shared by all routes of calls of a process */
  recent: RecentKeys;
}

/** A call with the request that reported it. */
export interface ReportedCall {
  call: Call;
  /** What the whole trace carries */
  requestId: string;
}

// Twilio ends a call after 24 hours at the latest (https://www.twilio.com/docs/voice/api/call-resource, TimeLimit).
const CALL_MS = 24 * 60 * 60 * 1000;

/**
 * What this process remembers of a call for when no database can. `settled`: its caller needs no
 * text any more. `spokenTo`: its caller heard a notice of ours, so nobody else spoke to them.
 */
type CallMemory = "settled" | "spokenTo";

/** @returns false when it was remembered already. A call without an id is not remembered. */
export function remember(recent: RecentKeys, what: CallMemory, { rootSid }: Call): boolean {
  return rootSid === null || recent.add(`${what} ${rootSid}`, CALL_MS);
}

export function remembers(recent: RecentKeys, what: CallMemory, { rootSid }: Call): boolean {
  return rootSid !== null && recent.has(`${what} ${rootSid}`);
}

export function forget(recent: RecentKeys, what: CallMemory, { rootSid }: Call): void {
  if (rootSid !== null) recent.delete(`${what} ${rootSid}`);
}
