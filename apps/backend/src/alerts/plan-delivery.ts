import type { Severity } from "./alert-types.ts";

export type AlertChannel = "sms" | "webhook" | "pagerduty";

export interface Attempt {
  channel: string;
  severity: string;
  state: string;
  attemptedAt: Date;
  /** False for an earlier incident of the same key, which counts for the quiet period alone. */
  ofThisIncident: boolean;
}

export interface DueIncident {
  severity: Severity;
  lastSeenAt: Date;
  aboutTexts: boolean;
}

/** The founder is told about one key at one severity at most this often. */
const QUIET_MS = 6 * 3_600_000;
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Decides who is told about an open incident now.
 *
 * One channel after the other is tried until one delivers; an incident about texts goes to all of
 * them at once, since its text may be one of those that fail. When all failed, the next round waits
 * 1 min, 2 min, 4 min … 1 h.
 *
 * @param attempts of this key, oldest first.
 * @param channels the configured ones, in the order in which this type prefers them.
 * @returns the channels to try now; empty when the founder knows, is being told, or must wait.
 */
export function planDelivery(
  incident: DueIncident,
  attempts: readonly Attempt[],
  channels: readonly AlertChannel[],
  now: number,
): readonly AlertChannel[] {
  // What was said at a lower severity does not count: a new severity breaks the quiet period.
  const relevant = attempts.filter(
    ({ severity }) => severity === "critical" || incident.severity === "warning",
  );
  if (relevant.some(({ state }) => state === "PENDING")) return [];
  const told = relevant.some(
    ({ state, attemptedAt }) =>
      state === "DELIVERED" &&
      (attemptedAt.getTime() > now - QUIET_MS || attemptedAt >= incident.lastSeenAt),
  );
  if (told || channels.length === 0) return [];

  const lastDelivered = relevant.findLastIndex(({ state }) => state === "DELIVERED");
  const failures = relevant.slice(lastDelivered + 1).filter((attempt) => attempt.ofThisIncident);
  const position = failures.length % channels.length;
  if (position > 0 && !incident.aboutTexts) return channels.slice(position, position + 1);

  const rounds = Math.ceil(failures.length / channels.length);
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (rounds - 1), LONGEST_WAIT_MS);
  const lastFailure = failures.at(-1)?.attemptedAt.getTime();
  if (lastFailure !== undefined && now - lastFailure < wait) return [];
  return incident.aboutTexts ? channels : channels.slice(0, 1);
}
