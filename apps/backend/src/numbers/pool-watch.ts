import type { Database } from "@jobrun/db";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Signal } from "../alerts/evaluate.ts";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { poolState, type PoolState } from "./pool.ts";

export interface PoolWatchDeps {
  db: Database;
  alerts: Pick<AlertService, "raise" | "resolve">;
  logger: winston.Logger;
  /** E.164, the gateway's own senders: never given away */
  excluded: readonly string[];
}

const INTERVAL_MS = 60_000;
const LOW = 3;

/** Tells the founder before and when no number is left for new tenants, and when that is over. */
export function poolWatch(deps: PoolWatchDeps): PollLoop {
  const failure = "the pool of numbers could not be looked at; trying again";
  const outage = new OutageLog(deps.logger, "pool watch", failure);
  return new PollLoop(
    () =>
      outage.watch(async () => {
        for (const signal of poolSignals(await poolState(deps.db.service, deps.excluded))) {
          const { type, summary, active } = signal;
          await (active ? deps.alerts.raise({ type, summary }) : deps.alerts.resolve(type));
        }
      }),
    INTERVAL_MS,
  );
}

/** Pure. Of the two at most one is active. */
export function poolSignals({ available, signUpsOpen }: PoolState): Signal[] {
  return [
    {
      type: "POOL_EMPTY",
      severity: "critical",
      active: signUpsOpen && available === 0,
      summary: "No number is left for new tenants",
    },
    {
      type: "POOL_LOW",
      severity: "warning",
      active: signUpsOpen && available > 0 && available < LOW,
      summary: `Numbers left for new tenants: ${available}`,
    },
  ];
}
