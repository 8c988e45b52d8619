import { setTimeout as sleep } from "node:timers/promises";
import type { Faults, Simulator } from "@jobrun/simulator";
import type { Fleet } from "./fleet.ts";
import { between, oneOf, seededRandom } from "./random.ts";

/** Waits between two kills, milliseconds; those killed before are up again by then, or are waited for. */
const KILL_GAP_MS = [300, 3000] as const;
/** About what a kill takes with the start that follows it. */
export const KILL_MS = 2200;
/** So often a gateway is killed while others are still starting: then none may be left. */
const ALL_DOWN_SHARE = 0.15;
/** How long one weather lasts. */
const WEATHER_MS = [300, 1500] as const;
/** What a create request takes: a kill finds some of them on their way. */
const SEND_MS = 30;

/**
 * Of 100 create requests. A `reset` shows no more than an acceptance that was lost: three of them in a row
 * make a text DEAD as they should, so they are rare.
 */
const SENDS = {
  ok: 74,
  "error-503": 6,
  "error-429": 4,
  reset: 1,
  "accept-then-reset": 4,
  "accept-then-hang": 4,
  "garbage-201": 3,
  "error-after-accept": 4,
};

/** What else may be the matter, one at a time. */
const WEATHERS: Partial<Faults>[] = [
  { receipts: true },
  { receipts: { beforeAnswer: true } },
  { receipts: { maxDelayMs: 3000, repeat: 2, shuffle: true } },
  { receipts: { minDelayMs: 2000, maxDelayMs: 20_000, shuffle: true, loseShare: 0.5 } },
  { receipts: { loseShare: 1 } },
  { listErrorStatus: 503 },
  { listPageLimit: 20 },
];
const LOST_WEBHOOKS: Partial<Faults> = { webhooks: "lost" };
const CALM: Partial<Faults> = {
  receipts: { loseShare: 0.5 },
  listErrorStatus: null,
  listPageLimit: null,
  webhooks: "delivered",
};

/** What the run asks of its storm. */
export interface Storm {
  kills: number;
  processes: number;
  /** The same seed makes the same draws; what they meet is up to the machine. */
  seed: number;
  /**
   * Whether webhooks may be lost and all gateways be down at once. Only the sweep finds those texts, and not before
   * they are half a minute old.
   */
  outages: boolean;
}

/** The provider misbehaves until `signal` is aborted, then no more. */
export async function misbehave(
  simulator: Simulator,
  { seed, outages }: Storm,
  signal: AbortSignal,
): Promise<void> {
  const random = seededRandom(seed);
  const weathers = outages ? [...WEATHERS, LOST_WEBHOOKS] : WEATHERS;
  simulator.setFaults({
    twilio: { kind: "mix", weights: SENDS, seed },
    twilioDelayMs: SEND_MS,
  });
  while (!signal.aborted) {
    simulator.setFaults({ ...CALM, ...oneOf(random, weathers) });
    await pause(between(random, ...WEATHER_MS), signal);
  }
  simulator.setFaults({ ...CALM, receipts: true, twilio: { kind: "none" } });
}

/** Kills one gateway after the other; resolves after the last, or when `signal` is aborted. */
export async function killAtRandom(
  fleet: Fleet,
  { kills, processes, seed, outages }: Storm,
  signal: AbortSignal,
  onKill: () => void,
): Promise<void> {
  const random = seededRandom(seed);
  for (let killed = 0; killed < kills && !signal.aborted; killed += 1) {
    await pause(between(random, ...KILL_GAP_MS), signal);
    const alone = outages && random() < ALL_DOWN_SHARE;
    await fleet.killOne(random, alone ? 1 : processes);
    onKill();
  }
}

/** Ends early, without an error, when `signal` is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
