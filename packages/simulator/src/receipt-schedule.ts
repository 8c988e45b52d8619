import { setTimeout as delay } from "node:timers/promises";

/** How receipts travel, whoever the provider is. */
export interface ReceiptTravel {
  minDelayMs?: number;
  maxDelayMs?: number;
  repeat?: number;
  shuffle?: boolean;
  loseShare?: number;
  beforeAnswer?: boolean;
}

/**
 * Reports each status at its time, each as often as the plan says.
 *
 * @param statuses in the order in which they come about
 * @param report `lost`: this copy is never posted
 * @returns `first`, settled when the first is reported; `all`, settled after the last
 * @throws both reject when `signal` is aborted
 */
export function runSchedule<S>(
  statuses: readonly S[],
  plan: ReceiptTravel,
  signal: AbortSignal,
  report: (status: S, lost: boolean) => Promise<void>,
): { first: Promise<void>; all: Promise<unknown> } {
  const run = async (status: S, afterMs: number): Promise<void> => {
    if (afterMs > 0) await delay(afterMs, undefined, { signal });
    signal.throwIfAborted();
    await report(status, Math.random() < (plan.loseShare ?? 0));
  };
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  for (const { status, afterMs } of schedule(statuses, plan)) {
    const before = running.at(-1);
    const next =
      plan.shuffle || !before
        ? run(status, afterMs)
        : before.then(() => run(status, afterMs - (performance.now() - startedAt)));
    running.push(next);
  }
  return { first: running[0] ?? Promise.resolve(), all: Promise.all(running) };
}

/** Each copy of each status with its time after the acceptance, earliest first. */
function schedule<S>(
  statuses: readonly S[],
  plan: ReceiptTravel,
): { status: S; afterMs: number }[] {
  const { minDelayMs = 0, repeat = 0, shuffle = false, beforeAnswer = false } = plan;
  const range = Math.max((plan.maxDelayMs ?? 0) - minDelayMs, 0);
  const copies = statuses.flatMap((status) => Array<S>(1 + repeat).fill(status));
  const order = shuffle ? shuffled(copies) : copies;
  const times = copies.map(() => minDelayMs + Math.random() * range).toSorted((a, b) => a - b);
  if (beforeAnswer) times[0] = 0;
  return order.map((status, index) => ({ status, afterMs: times[index] ?? 0 }));
}

/** Any order with the same chance (Fisher and Yates). */
function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(Math.floor(Math.random() * rest.length), 1));
}
