import { setTimeout as wait } from "node:timers/promises";
import pRetry from "p-retry";
import type { Channel, OutboundMessage, SendOutcome } from "./channel.ts";

/** An attempt that was not accepted. */
export interface FailedAttempt {
  /** From 1. */
  attempt: number;
  attempts: number;
  outcome: SendOutcome;
  /** The nominal wait before the next attempt, without jitter; null when there is none. */
  retryInMs: number | null;
}

export interface SendWithRetryOptions {
  /** Ends the waiting; what is known by then is returned. */
  signal: AbortSignal;
  onAttemptFailed?: (info: FailedAttempt) => void;
  /** Asked after an attempt that failed: whether another one makes sense now. */
  mayRetry?: () => boolean;
  /** One nominal wait per attempt, so also the number of attempts; the last is not waited for. */
  delaysMs?: readonly number[];
}

const DELAYS_MS = [1000, 2000, 4000] as const;
// A provider that asks for more is left to the outbox: nobody holds a worker for that long.
const LONGEST_RETRY_AFTER_MS = 10_000;
const JITTER = 0.2;

/** Tells p-retry, which knows failures only as errors, to try once more. */
class TryAgain extends Error {}

/**
 * Sends a message, up to three times, but tries again only after `unavailable`: any other outcome
 * may have sent it already, or never will.
 *
 * @returns the outcome of the last attempt; `unavailable` with the code "aborted" when the signal
 *   was aborted before the first.
 */
export async function sendWithRetry(
  channel: Channel,
  message: OutboundMessage,
  options: SendWithRetryOptions,
): Promise<SendOutcome> {
  const { signal, onAttemptFailed, mayRetry = () => true, delaysMs = DELAYS_MS } = options;
  const attempts = delaysMs.length;
  if (signal.aborted) return { kind: "unavailable", code: "aborted" };
  // The signal is not given to p-retry: it would throw away an acceptance that came in time.
  return pRetry(
    async (attempt) => {
      const outcome = await channel.send(message, signal);
      if (outcome.kind === "accepted") return outcome;
      const more = attempt < attempts && mayRetry();
      const retryInMs = more ? nextWaitMs(outcome, delaysMs[attempt - 1]) : null;
      onAttemptFailed?.({ attempt, attempts, outcome, retryInMs });
      if (retryInMs === null || outcome.kind !== "unavailable") return outcome;
      // Rejects only when aborted, which is looked at next.
      await wait(jittered(retryInMs, outcome.retryAfterMs), undefined, { signal }).catch(() => {});
      if (signal.aborted) return outcome;
      throw new TryAgain();
    },
    {
      retries: attempts - 1,
      minTimeout: 0,
      shouldRetry: ({ error }) => error instanceof TryAgain,
    },
  );
}

function nextWaitMs(outcome: SendOutcome, delayMs = 0): number | null {
  // What waits by its own rule waits in the outbox.
  if (outcome.kind !== "unavailable" || outcome.waitBaseSeconds !== undefined) return null;
  const askedMs = outcome.retryAfterMs ?? 0;
  return askedMs > LONGEST_RETRY_AFTER_MS ? null : Math.max(delayMs, askedMs);
}

/** Spreads the gateways that failed together, but never below what the provider asked for. */
function jittered(waitMs: number, atLeastMs = 0): number {
  return Math.max(atLeastMs, waitMs * (1 - JITTER + 2 * JITTER * Math.random()));
}
