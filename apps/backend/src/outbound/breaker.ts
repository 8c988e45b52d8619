import type { Channel, SendOutcome } from "@jobrun/messaging";
import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  handleWhenResult,
  type IBreaker,
} from "cockatiel";

export type BreakerState = "closed" | "half-open" | "open";

/** A channel behind the circuit breaker of its provider's account. */
export interface GuardedChannel {
  readonly channel: Channel;
  state(): BreakerState;
  /** How many texts may be claimed now: all, one to find out, or none. */
  allows(): "all" | "one" | "none";
}

const SHARE = 0.5;
const SENDS = 20;
const WINDOW_MS = 30_000;

/**
 * Opens when at least half of at least 20 sends of the last 30 s found the provider unavailable.
 *
 * @param openMs how long nothing passes before one text finds out
 * @param onChange called with each new state
 */
export function guardChannel(
  channel: Channel,
  openMs: number,
  onChange: (state: BreakerState) => void,
): GuardedChannel {
  let openedAt = 0;
  const policy = circuitBreaker(
    handleWhenResult((outcome) => isProviderAway(outcome as SendOutcome)),
    { halfOpenAfter: openMs, breaker: new ShareBreaker() },
  );
  policy.onBreak(() => (openedAt = Date.now()));
  policy.onStateChange((state) => onChange(STATES[state]));
  return {
    channel: {
      ...channel,
      send: (message, signal) =>
        policy
          .execute(() => channel.send(message, signal))
          .catch((error: unknown): SendOutcome => {
            if (!(error instanceof BrokenCircuitError)) throw error;
            return { kind: "unavailable", code: "breaker-open" };
          }),
    },
    state: () => STATES[policy.state],
    allows: () => {
      if (policy.state === CircuitState.Closed) return "all";
      if (policy.state === CircuitState.HalfOpen) return "none";
      return Date.now() - openedAt >= openMs ? "one" : "none";
    },
  };
}

/** Texts of one busy sender, or to one busy recipient, must not stop everybody's. */
function isProviderAway(outcome: SendOutcome): boolean {
  return outcome.kind === "unavailable" && outcome.about === undefined;
}

const STATES: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: "closed",
  [CircuitState.HalfOpen]: "half-open",
  [CircuitState.Open]: "open",
  [CircuitState.Isolated]: "open",
};

/** Counts by time; cockatiel's own sampling keeps old sends longer when traffic is thin. */
class ShareBreaker implements IBreaker {
  state: { at: number; failed: boolean }[] = [];

  success(circuit: CircuitState): void {
    if (circuit === CircuitState.HalfOpen) this.state = [];
    this.#add(false);
  }

  failure(circuit: CircuitState): boolean {
    this.#add(true);
    if (circuit !== CircuitState.Closed) return true;
    const failures = this.state.filter(({ failed }) => failed).length;
    return this.state.length >= SENDS && failures >= this.state.length * SHARE;
  }

  #add(failed: boolean): void {
    const at = Date.now();
    this.state.push({ at, failed });
    const first = this.state.findIndex((send) => send.at > at - WINDOW_MS);
    this.state.splice(0, first);
  }
}
