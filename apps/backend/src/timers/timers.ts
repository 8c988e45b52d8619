import type { Tx } from "@jobrun/db";

/**
 * What each timer carries, as JSON in the table of pg-boss, which row-level security does not protect:
 * ids, and what tells the step it was set for from a later one. The phone of somebody who signs up has
 * no id; it is the only personal data in there and goes within two hours of the timer's end.
 */
export interface TimerData {
  urgent_job_second_text: UrgentJobTimer;
  urgent_job_founder: UrgentJobTimer;
  onboarding_reminder: OnboardingTimer;
  onboarding_founder: OnboardingTimer;
  retention: Record<string, never>;
}

export interface UrgentJobTimer {
  tenantId: string;
  jobId: string;
  requestId: string;
}

export interface OnboardingTimer {
  /** E.164 */
  phone: string;
  /** ISO 8601: when the state began that the timer is about. If another one is stored now, the timer is void. */
  stateSince: string;
}

export type TimerName = keyof TimerData;

/**
 * What happens when a timer fires. It may run twice (after a crash, or after it failed half-way), so
 * what it writes is conditional. When it throws it runs again later, with growing waits.
 */
export type TimerHandlers = { [N in TimerName]: (data: TimerData[N]) => Promise<void> };

export interface Timers {
  /**
   * Sets a timer in the caller's transaction, under any of its roles: it exists if and only if that
   * commits.
   *
   * @param afterMs milliseconds from the start of the transaction; it fires then or up to a second later
   * @throws what the database throws; the transaction cannot go on after that
   */
  schedule<N extends TimerName>(
    tx: Tx,
    name: N,
    data: TimerData[N],
    afterMs: number,
  ): Promise<void>;
}
