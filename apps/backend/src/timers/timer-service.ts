import { setTimeout as wait } from "node:timers/promises";
import { TIMER_QUEUE, TIMER_SCHEMA, type Tx } from "@jobrun/db";
import { fromPrisma, PgBoss, type Job, type JobResult, type SendOptions } from "pg-boss";
import type { Logger } from "winston";
import { awayCode } from "../telemetry/database-away.ts";
import { OutageLog } from "../workers/outage-log.ts";
import type { TimerData, TimerHandlers, TimerName, Timers } from "./timers.ts";

export interface TimerServiceDeps {
  databaseUrl: string;
  logger: Logger;
}

/** What a row carries. All timers share a queue, so that waiting for them costs two queries a second. */
interface Entry<N extends TimerName = TimerName> {
  timer: N;
  data: TimerData[N];
}

const LIFE = {
  /** Its process counts as dead after this; somebody else fires it then. Longer than any handler takes. */
  expireInSeconds: 60,
  /** After a failure it is tried again in 1 s, 2 s, 4 s … 5 min, for about a day. */
  retryLimit: 300,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 300,
  /** An onboarding timer carries a phone: kept no longer than it takes to look into a failure. */
  deleteAfterSeconds: 3600,
} as const satisfies SendOptions;

const POLLING = {
  /** The shortest pg-boss allows. */
  pollingIntervalSeconds: 0.5,
  /** At once per process; they share the connections of the webhooks. */
  batchSize: 5,
  burstWhenBatchFull: true,
  perJobResults: true,
} as const;

/** When the telephones are quiet. UTC. */
const RETENTION_CRON = "17 3 * * *";
const FAILURE = "timers do not fire; trying again until they do";
const RECONNECT_MS = 1000;
/** What fails every poll is said once, until nothing failed for this long. */
const QUIET_MS = 60_000;
/** Less than the 30 s a process has for stopping. */
const DRAIN_MS = 20_000;

/** Timers in the database (pg-boss). Any number of processes may run it: each timer fires in one of them. */
export class TimerService implements Timers {
  readonly #deps: TimerServiceDeps;
  readonly #stopping = new AbortController();
  #boss: PgBoss | undefined;
  #starting: Promise<void> = Promise.resolve();
  readonly #outage: OutageLog;
  #awaiting: Promise<void> | undefined;
  #lastErrorAt = -Infinity;

  constructor(deps: TimerServiceDeps) {
    this.#deps = deps;
    this.#outage = new OutageLog(deps.logger, "timers", FAILURE);
  }

  /** Needs no `start`: a process that only sets timers may leave firing them to others. */
  async schedule<N extends TimerName>(
    tx: Tx,
    timer: N,
    data: TimerData[N],
    afterMs: number,
  ): Promise<void> {
    // One of its own, since pg-boss reads the queue on the connection it was made with: on another
    // than the caller's that would be a wait for the pool inside a transaction.
    const boss = new PgBoss({ db: fromPrisma(tx), schema: TIMER_SCHEMA });
    const entry: Entry<N> = { timer, data };
    const id = await boss.send(TIMER_QUEUE, entry, { ...LIFE, startAfter: afterMs / 1000 });
    if (id === null) throw new Error("the timer was not stored");
  }

  /** Returns at once; connects, and connects again, for as long as it takes. */
  start(handlers: TimerHandlers): void {
    this.#starting = this.#keepStarting(handlers);
  }

  /** Takes no more timers and waits for those that fire now; one that takes too long fires again later. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    await this.#awaiting;
    await this.#boss?.stop({ timeout: DRAIN_MS });
  }

  async #keepStarting(handlers: TimerHandlers): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const boss = this.#createBoss();
      try {
        await this.#begin(boss, handlers);
        this.#boss = boss;
        this.#outage.worked();
        return;
      } catch (error) {
        this.#report(error);
        await boss.stop({ graceful: false }).catch((reason: unknown) => this.#report(reason));
        await wait(RECONNECT_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  #createBoss(): PgBoss {
    const boss = new PgBoss({
      connectionString: this.#deps.databaseUrl,
      options: "-c role=gateway_service -c statement_timeout=10000",
      application_name: "jobrun timers",
      max: 2,
      connectionTimeoutMillis: 5000,
      schema: TIMER_SCHEMA,
      // The role may not change tables; packages/db/src/migrate-timers.ts does.
      migrate: false,
      reindex: false,
      monitorVacuum: false,
      // Looks for timers whose process died.
      superviseIntervalSeconds: 15,
      monitorIntervalSeconds: 15,
      maintenanceIntervalSeconds: 3600,
      // Not used here: timers that depend on each other.
      flowIntervalSeconds: 3600,
    });
    boss.on("error", (error) => this.#report(error));
    boss.on("warning", ({ message }) => this.#deps.logger.warn(message));
    return boss;
  }

  async #begin(boss: PgBoss, handlers: TimerHandlers): Promise<void> {
    await boss.start();
    const retention: Entry<"retention"> = { timer: "retention", data: {} };
    // "once": after a night without a process it runs when one is there again.
    const options = { ...LIFE, key: "retention", missed: "once" } as const;
    await boss.schedule(TIMER_QUEUE, RETENTION_CRON, retention, options);
    await boss.work<Entry, void, typeof POLLING>(TIMER_QUEUE, POLLING, (jobs) =>
      Promise.all(jobs.map((job) => this.#fire(handlers, job))),
    );
    // What a killed process left behind is looked for now and not only in 15 s.
    await boss.supervise();
  }

  async #fire(handlers: TimerHandlers, job: Job<Entry>): Promise<JobResult> {
    const { timer, data } = job.data;
    try {
      await run(handlers, timer, data);
      return { id: job.id, status: "completed" };
    } catch (error) {
      this.#deps.logger.error("a timer failed; it is tried again, for a day", { timer, error });
      return { id: job.id, status: "failed" };
    }
  }

  #report(reason: unknown): void {
    if (awayCode(reason) !== null) {
      this.#outage.failed(reason);
      this.#awaiting ??= this.#awaitReturn();
      return;
    }
    const quietMs = Date.now() - this.#lastErrorAt;
    this.#lastErrorAt = Date.now();
    if (quietMs > QUIET_MS) this.#outage.failed(reason);
  }

  /** pg-boss tells when a poll fails and not when one works again: once it runs, it is asked. */
  async #awaitReturn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await wait(RECONNECT_MS, undefined, { signal }).catch(() => {});
      const answers = await this.#boss
        ?.getDb()
        .executeSql("SELECT 1")
        .catch(() => null);
      if (answers === null) continue;
      if (answers !== undefined) this.#outage.worked();
      break;
    }
    this.#awaiting = undefined;
  }
}

async function run<N extends TimerName>(
  handlers: TimerHandlers,
  timer: N,
  data: TimerData[N],
): Promise<void> {
  // Of a newer version, during a deployment: it waits for a process of that version.
  if (!Object.hasOwn(handlers, timer)) throw new Error("no handler for this timer");
  await handlers[timer](data);
}
