import type { Tx } from "@jobrun/db";
import type { InboundResult } from "../conversations/handle-inbound.ts";
import type { OnboardingText } from "../conversations/take-text.ts";
import { poolWatch } from "../numbers/pool-watch.ts";
import type { TimerHandlers } from "../timers/timers.ts";
import { handleOnboardingText, type OnboardingDeps } from "./handle-onboarding-text.ts";
import { completeTestCall } from "./test-call.ts";
import { onboardingTimers } from "./reminders.ts";
import { waitingSignUps } from "./waiting.ts";

export interface Onboarding {
  /** Takes one text to a number where businesses sign up. Never throws. */
  handle(text: OnboardingText): Promise<InboundResult>;
  /** See test-call.ts. */
  completeTestCall(
    tx: Tx,
    call: { number: string; requestId: string },
  ): Promise<(() => void) | null>;
  timers: Pick<TimerHandlers, "onboarding_reminder" | "onboarding_founder">;
  /** Goes on with sign-ups that wait for a number, and watches the pool. */
  start(): void;
  /** Resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/** Sign-up by text, whole. */
export function createOnboarding(deps: OnboardingDeps): Onboarding {
  const workers = [waitingSignUps(deps), poolWatch(deps)];
  return {
    handle: (text) => handleOnboardingText(deps, text),
    completeTestCall: (tx, call) => completeTestCall(deps, tx, call),
    timers: onboardingTimers(deps),
    start: () => {
      for (const worker of workers) worker.start();
    },
    stop: async () => {
      for (const worker of workers) await worker.stop();
    },
  };
}
