import type { Database } from "@jobrun/db";
import { sendWithRetry, type Channel, type ChannelName, type SendOutcome } from "@jobrun/messaging";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { guardChannel, type BreakerState, type GuardedChannel } from "./breaker.ts";
import { claimMessages, type ClaimedMessage } from "./claim.ts";
import { logAttempts } from "./log-attempts.ts";
import type { Recorded } from "./record-outcome.ts";
import { announceOutcome, recordSend, traceOf } from "./record-send.ts";
import { SenderRate } from "./sender-rate.ts";
import { claimProbes, liftStops, stopsMore } from "./stops.ts";
import type { DeliveryTimings } from "./timings.ts";
import { hold, isInWindow, turnIntoTemplate } from "./window.ts";

export interface DispatchDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  timings: DeliveryTimings;
  events: Events;
  metrics: Metrics;
  alerts: AlertService;
  logger: winston.Logger;
  /** Called when there may be more to send than this process takes now. */
  callOthers: () => void;
}

/** Sends under way at once in one process: at 200 ms a send, over 160 a second. */
export const CONCURRENCY = 64;

/** One tenant's failing sends leave half of the places to the others. */
const PER_TENANT = CONCURRENCY / 2;

/** While every place is taken, those that become free within this time are filled by one claim. */
const REFILL_MS = 10;

interface Sending {
  message: ClaimedMessage;
  /** Just before it was claimed, on the clock of `performance.now`. */
  claimedAt: number;
  /** It finds out whether a stop still holds. */
  probe: boolean;
  /** What it was before it was turned into a template. */
  original?: Pick<ClaimedMessage, "type" | "payload" | "body">;
}

/**
 * The outbox worker: claims queued texts, sends them outside any transaction, records the outcome.
 */
export class Dispatcher {
  readonly #deps: DispatchDeps;
  readonly #guarded: ReadonlyMap<string, GuardedChannel>;
  readonly #rate: SenderRate;
  readonly #outage: OutageLog;
  readonly #loop: PollLoop;
  readonly #sending = new Set<Promise<void>>();
  readonly #underWay = new Map<string, number>();
  /** The last claim ended at a limit: more may be due than was claimed. */
  #more = false;
  #nextProbes = 0;
  #refill: NodeJS.Timeout | undefined;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
    this.#rate = new SenderRate(deps.channels);
    const failure = "the outbox could not be read; trying again";
    this.#outage = new OutageLog(deps.logger, "outbox", failure);
    this.#loop = new PollLoop(() => this.#claimAndSend(), deps.timings.pollMs);
    this.#guarded = new Map(
      [...deps.channels].map(([name, channel]) => [
        name,
        guardChannel(channel, deps.timings.breakerOpenMs, (state) =>
          this.#breakerChanged(channel.provider, state),
        ),
      ]),
    );
  }

  start(): void {
    this.#loop.start();
  }

  /** Call when a text was queued, or when one that held up others is settled. */
  wake(): void {
    this.#loop.wake();
  }

  /** Claims nothing more and resolves when every send under way has its outcome recorded. */
  async stop(): Promise<void> {
    clearTimeout(this.#refill);
    await this.#loop.stop();
    await Promise.all(this.#sending);
  }

  /** By provider. */
  breakers(): Record<string, BreakerState> {
    return Object.fromEntries(
      [...this.#guarded.values()].map(({ channel, state }) => [channel.provider, state()]),
    );
  }

  async #claimAndSend(): Promise<void> {
    try {
      for (const name of this.#claimable("one")) await this.#claim([name], 1);
      const names = this.#claimable("all");
      if (names.length === 0) return;
      await this.#claim(names, CONCURRENCY - this.#sending.size);
      await this.#probeStops(names);
    } catch (error) {
      this.#outage.failed(error);
    }
  }

  #claimable(allowed: "all" | "one"): string[] {
    return [...this.#guarded]
      .filter(([, { allows }]) => allows() === allowed)
      .map(([name]) => name);
  }

  async #claim(channels: string[], count: number): Promise<void> {
    if (count <= 0) return;
    const claimedAt = performance.now();
    const claimed = await claimMessages(this.#deps.db, {
      count,
      channels,
      perTenant: PER_TENANT,
      underWay: Object.fromEntries(this.#underWay),
      room: this.#rate.room(),
      leaseMs: this.#deps.timings.leaseMs,
    });
    this.#outage.worked();
    for (const message of claimed) this.#track({ message, claimedAt, probe: false });
    const atLimit = [...this.#underWay.values()].some((texts) => texts >= PER_TENANT);
    this.#more = claimed.length === count || atLimit;
    // Who claimed nothing calls nobody, or two processes at a limit would keep each other awake.
    if (this.#more && claimed.length > 0) this.#deps.callOthers();
  }

  async #probeStops(channels: string[]): Promise<void> {
    const claimedAt = performance.now();
    if (claimedAt < this.#nextProbes) return;
    this.#nextProbes = claimedAt + this.#deps.timings.pollMs;
    for (const message of await claimProbes(this.#deps.db, channels, this.#deps.timings))
      this.#track({ message, claimedAt, probe: true });
  }

  #track(sending: Sending): void {
    const { tenantId, channel, sender, segments } = sending.message;
    const tenant = tenantId ?? "";
    this.#underWay.set(tenant, (this.#underWay.get(tenant) ?? 0) + 1);
    this.#rate.take(channel, sender, segments);
    const tracked = this.#sendOne(sending).finally(() => {
      this.#sending.delete(tracked);
      const left = (this.#underWay.get(tenant) ?? 0) - 1;
      if (left > 0) this.#underWay.set(tenant, left);
      else this.#underWay.delete(tenant);
      if (this.#more) this.#refillSoon();
    });
    this.#sending.add(tracked);
  }

  #refillSoon(): void {
    this.#refill ??= setTimeout(() => {
      this.#refill = undefined;
      this.#loop.wake();
    }, REFILL_MS);
  }

  async #sendOne(sending: Sending): Promise<void> {
    const { metrics, logger } = this.#deps;
    const { message, claimedAt } = sending;
    const { provider = "none" } = this.#guarded.get(message.channel)?.channel ?? {};
    const started = performance.now();
    try {
      if (!(await this.#mayLeave(sending))) return;
      const outcome = await this.#send(message, claimedAt);
      metrics.sendDuration.observe({ provider }, (performance.now() - started) / 1000);
      metrics.outbound.inc({ channel: message.channel, outcome: outcome.kind });
      if (outcome.kind !== "accepted") metrics.sendFailures.inc({ provider, code: outcome.code });
      const { original } = sending;
      if (original !== undefined && outcome.kind === "rejected" && !stopsMore(outcome)) {
        // The template is no good: that must not cost the customer the words it stood for.
        await this.#hold(message, outcome.code, original);
        return;
      }
      const recorded = await this.#record(sending, outcome);
      if (recorded === null) return;
      announceOutcome(this.#deps.events, message, outcome, recorded);
      if (recorded.next) this.#loop.wake();
    } catch (error) {
      // The lease ends by itself and makes this an UNKNOWN.
      logger.error("the outcome of a send could not be recorded", { error, messageId: message.id });
    }
  }

  /** Outside the channel's window a message becomes a template, or waits for the customer. */
  async #mayLeave(sending: Sending): Promise<boolean> {
    const { message } = sending;
    const { db } = this.#deps;
    const channel = this.#guarded.get(message.channel)?.channel;
    if (channel === undefined || isInWindow(channel, message, Date.now())) return true;
    const template = await turnIntoTemplate(db, channel, message);
    if (template !== null) {
      const { type, payload, body } = message;
      sending.original = { type, payload, body };
      message.type = template.type;
      message.payload = template.payload;
      return true;
    }
    await this.#hold(message, "window-closed");
    return false;
  }

  async #hold(
    message: ClaimedMessage,
    code: string,
    original?: Sending["original"],
  ): Promise<void> {
    const { db, logger } = this.#deps;
    if (!(await hold(db, message, code, original))) return;
    const trace = { ...traceOf(message), messageId: message.id, code };
    logger.warn("a message waits until its customer writes again", trace);
  }

  async #send(message: ClaimedMessage, claimedAt: number): Promise<SendOutcome> {
    const guarded = this.#guarded.get(message.channel);
    if (guarded === undefined) return { kind: "rejected", code: "no-channel", scope: "other" };
    const { id, sender: from, recipient: to, body, type, payload, lifeSeconds } = message;
    // A process that was frozen may hold a claim that is no longer its own: then it must not send. Asked
    // before each attempt, since timers that ran out meanwhile fire in any order.
    const leftMs = () =>
      Math.floor(this.#deps.timings.sendBudgetMs - (performance.now() - claimedAt));
    const send: Channel["send"] = async (attempt, signal) =>
      leftMs() > 0
        ? guarded.channel.send(attempt, signal)
        : { kind: "unavailable", code: "too-late" };
    return sendWithRetry(
      { ...guarded.channel, send },
      {
        id,
        from,
        to,
        body,
        ...(payload !== null && { content: { type, payload } }),
        ...(lifeSeconds !== null && { validitySeconds: lifeSeconds }),
      },
      {
        signal: AbortSignal.timeout(Math.max(1, leftMs())),
        // With the breaker open the text goes back to the outbox: one at a time finds out.
        mayRetry: () => guarded.state() === "closed",
        onAttemptFailed: logAttempts(this.#deps.logger, message.channel, {
          requestId: message.requestId,
          messageId: id,
        }),
      },
    );
  }

  async #record({ message, probe }: Sending, outcome: SendOutcome): Promise<Recorded | null> {
    const { db } = this.#deps;
    const counted = this.#guarded.get(message.channel)?.state() === "closed";
    const recorded = await recordSend(this.#deps, message, outcome, counted);
    if (probe && outcome.kind === "accepted") {
      await liftStops(db, message);
      this.#loop.wake();
    }
    return recorded;
  }

  #breakerChanged(provider: string, state: BreakerState): void {
    const { metrics, alerts, logger } = this.#deps;
    metrics.breakerState.set({ provider }, { closed: 0, "half-open": 1, open: 2 }[state]);
    logger.warn(`the breaker of ${provider} is ${state}`, { provider, state });
    if (state === "open") void alerts.raise({ type: "BREAKER_OPEN" });
    if (state === "closed") this.#loop.wake();
  }
}
