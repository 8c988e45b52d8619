import type { Call, CallStatus } from "./parse-call.ts";

/** What becomes of a tenant's calls: a spoken notice, or the operator's phone first. */
export type CallHandling = "NOTICE" | "DIAL";

const GOING_ON: ReadonlySet<CallStatus> = new Set([
  "queued",
  "initiated",
  "ringing",
  "in-progress",
]);

/** Whether the call, or the attempt to reach the operator, has ended: before that there is nothing to decide. */
export function isOver({ status, dialStatus }: Pick<Call, "status" | "dialStatus">): boolean {
  return dialStatus !== null || (status !== null && !GOING_ON.has(status));
}

/**
 * Whether nobody spoke to the caller. How the call to the operator ended says it, where it is known;
 * else a call that we answered is `completed`, though nobody but the spoken notice was there
 * (https://www.twilio.com/docs/voice/twiml/reject: any other TwiML answers the call).
 *
 * @param wasSpokenTo the caller has heard a notice of ours, so the operator did not answer
 */
export function isMissed(
  { status, dialStatus }: Pick<Call, "status" | "dialStatus">,
  callHandling: CallHandling,
  wasSpokenTo: boolean,
): boolean {
  if (dialStatus !== null) return dialStatus !== "completed" && dialStatus !== "answered";
  if (status === null || GOING_ON.has(status)) return false;
  return status !== "completed" || callHandling === "NOTICE" || wasSpokenTo;
}
