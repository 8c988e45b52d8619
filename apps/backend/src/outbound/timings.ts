/** Every wait of the outbox and of deferred texts, in milliseconds. Each is longer than what it must outlast. */
export interface DeliveryTimings {
  /** Longest one attempt to send may take. */
  attemptTimeoutMs: number;
  /** All attempts in memory of one claim; its outcome must be written before the lease ends. */
  sendBudgetMs: number;
  /** How long a claim holds. After that its text is UNKNOWN. */
  leaseMs: number;
  /** From UNKNOWN to the first look-up: the provider's log may lag behind. */
  lookUpAfterMs: number;
  /** From UNKNOWN to the look-up whose empty answer counts: no send can be under way any more. */
  resendAfterMs: number;
  /** From UNKNOWN to giving up on evidence where the provider cannot be asked. */
  resendWithoutLogMs: number;
  /** Backstop for wake-ups that were lost: another process's commits, texts that became due. */
  pollMs: number;
  /** Waits before the tries after the first. When they are used up the text is DEAD. */
  retryScheduleMs: readonly number[];
  /** How long an open breaker lets nothing through. */
  breakerOpenMs: number;
  /** How long a stopped channel waits before one text is tried. */
  stopProbeMs: number;
  /** How much longer than a turn's deadline a claim of its texts holds: the commit may wait for the database. */
  turnReserveMs: number;
  /** How long a deferred text waits before its customer gets the holding text. */
  holdingAfterMs: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const DELIVERY: DeliveryTimings = {
  attemptTimeoutMs: 10 * SECOND,
  sendBudgetMs: 25 * SECOND,
  leaseMs: 30 * SECOND,
  lookUpAfterMs: 20 * SECOND,
  resendAfterMs: 60 * SECOND,
  resendWithoutLogMs: 5 * MINUTE,
  pollMs: SECOND,
  retryScheduleMs: [15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR],
  breakerOpenMs: 15 * SECOND,
  stopProbeMs: 5 * MINUTE,
  turnReserveMs: 6 * SECOND,
  holdingAfterMs: 60 * SECOND,
};
