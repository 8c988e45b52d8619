import { once } from "node:events";
import type { DeliveryTimings } from "@jobrun/backend";
import { type ControlName, controls } from "./controls.ts";
import { drain, unsettled } from "./drain.ts";
import { type Figures, readFigures } from "./figures.ts";
import { seededRandom } from "./random.ts";
import { KILL_MS, killAtRandom, misbehave, pause, type Storm } from "./storm.ts";
import { createTraffic } from "./traffic.ts";
import { type CheckName, type Findings, verify } from "./verify.ts";
import { createWorld, type Processing } from "./world.ts";

export interface ChaosOptions extends Storm {
  /** Texts that customers write, at least. */
  messages: number;
  /** Whether webhooks answer their texts themselves or leave that to workers. */
  processing: Processing;
  /** The guard that is taken away, if any. Such a run ends as soon as its check fails. */
  control: ControlName | null;
  timings: DeliveryTimings;
  /** Of a migrated database that is the run's own. */
  databaseUrl: string;
  /** Ends the run early. */
  signal: AbortSignal;
  /** Receives progress, a line at a time. */
  say: (line: string) => void;
}

export interface ChaosResult {
  findings: Findings;
  figures: Figures;
}

const PROGRESS_MS = 5000;
const INSPECT_MS = 1000;
/** A control that has broken nothing by then breaks nothing. */
const CONTROL_LIMIT_MS = 240_000;
/** A gateway killed in a sweep holds up the next one for two minutes. The rest is made of look-ups, some in a row. */
const DRAIN_LIMIT_MS = 300_000;
const DRAIN_WAITS = 10;

/**
 * Customers write, the provider misbehaves, gateways are killed; then all is quiet, and what is stored
 * is compared with what the provider accepted.
 *
 * @throws Error when a gateway ends that nobody killed, or when interrupted
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { messages, kills, seed, timings, say } = options;
  const started = performance.now();
  const control = options.control === null ? null : controls[options.control];
  const world = await createWorld({ ...options, control });
  const { simulator, fleet, database } = world;
  // So that the last text is written at about the time of the last kill.
  const gapMs = (kills * KILL_MS) / messages;
  const traffic = createTraffic(world, gapMs, seededRandom(seed));
  const over = new AbortController();
  let killed = 0;

  const inspect = () => verify(database, simulator.sent(), traffic.sids, world.operators);
  const report = async () => {
    const seconds = Math.round((performance.now() - started) / 1000);
    const { words } = await unsettled(database, traffic.sids);
    say(
      `${String(seconds).padStart(5)} s  ${traffic.sids.length} texts, ${simulator.sent().length} accepted, ${killed} kills; ${words}`,
    );
  };

  async function storm(): Promise<void> {
    const calm = new AbortController();
    const signal = AbortSignal.any([over.signal, calm.signal]);
    const weather = misbehave(simulator, options, signal);
    const killing = killAtRandom(fleet, options, signal, () => (killed += 1));
    await traffic.run(() => signal.aborted || (traffic.sids.length >= messages && killed >= kills));
    await killing;
    calm.abort();
    await weather;
    const limitMs = DRAIN_LIMIT_MS + DRAIN_WAITS * timings.resendAfterMs;
    await drain(database, traffic.sids, limitMs, over.signal);
  }

  const progress = setInterval(() => void report().catch(() => {}), PROGRESS_MS);
  try {
    const ends = [storm(), fleet.broken, interrupted(options.signal)];
    if (control !== null) ends.push(untilBroken(control.breaks, inspect, over.signal));
    await Promise.race(ends);
    return {
      findings: await inspect(),
      figures: await readFigures(world, traffic, killed, started),
    };
  } finally {
    over.abort();
    clearInterval(progress);
    await world.close();
  }
}

async function interrupted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw new Error("interrupted");
}

async function untilBroken(
  check: CheckName,
  inspect: () => Promise<Findings>,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + CONTROL_LIMIT_MS;
  while (performance.now() < end && !signal.aborted) {
    await pause(INSPECT_MS, signal);
    if ((await inspect())[check].length > 0) return;
  }
}
