import type { Database } from "@jobrun/db";
import { sendWithRetry, type Channel, type ChannelName, type SendOutcome } from "@jobrun/messaging";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { claimMessages, expireLeases, LEASE_SECONDS, type ClaimedMessage } from "./claim.ts";
import { recordOutcome } from "./record-outcome.ts";

export interface DispatchDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  events: Events;
  metrics: Metrics;
  alerts: AlertService;
  logger: winston.Logger;
}

/** Sends under way at once in one process: at 200 ms a send, over 160 a second. */
const CONCURRENCY = 64;

/** Backstop for wake-ups that were lost: another process's commits, texts that became due. */
const POLL_MS = 1000;

/** An attempt with its retries ends well before the lease does, so that its outcome is still ours to write. */
const SEND_BUDGET_MS = (LEASE_SECONDS - 5) * 1000;

/**
 * The outbox worker: claims queued texts, sends them outside any transaction, records the outcome.
 */
export class Dispatcher {
  readonly #deps: DispatchDeps;
  readonly #loop: PollLoop;
  readonly #sending = new Set<Promise<void>>();
  #nextExpiry = 0;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
    this.#loop = new PollLoop(() => this.#claimAndSend(), POLL_MS);
  }

  start(): void {
    this.#loop.start();
  }

  /** Call after a commit that queued texts. */
  wake(): void {
    this.#loop.wake();
  }

  /** Claims nothing more and resolves when every send under way has its outcome recorded. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await Promise.all(this.#sending);
  }

  async #claimAndSend(): Promise<void> {
    const free = CONCURRENCY - this.#sending.size;
    if (free === 0) return;
    try {
      // Leases last half a minute: looking at every wake would cost a query per text and find nothing.
      if (performance.now() >= this.#nextExpiry) {
        this.#nextExpiry = performance.now() + POLL_MS;
        for (const { id, requestId } of await expireLeases(this.#deps.db))
          this.#announceUnknown(id, requestId, "lease-expired");
      }
      const claimed = await claimMessages(this.#deps.db, free);
      for (const message of claimed) this.#track(this.#sendOne(message));
    } catch (error) {
      this.#deps.logger.error("the outbox could not be read; trying again", { error });
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      this.#sending.delete(tracked);
      // The next text of the conversation may go now, and a place is free.
      this.#loop.wake();
    });
    this.#sending.add(tracked);
  }

  async #sendOne(message: ClaimedMessage): Promise<void> {
    const { db, metrics, logger } = this.#deps;
    const started = performance.now();
    try {
      const outcome = await this.#send(message);
      metrics.sendDuration.observe({ provider: "twilio" }, (performance.now() - started) / 1000);
      metrics.outbound.inc({ channel: message.channel, outcome: outcome.kind });
      const status = await recordOutcome(db, message.id, message.attempts, outcome);
      this.#announce(message, outcome, status);
    } catch (error) {
      // The lease ends by itself and makes this an UNKNOWN.
      logger.error("the outcome of a send could not be recorded", { error, messageId: message.id });
    }
  }

  async #send(message: ClaimedMessage): Promise<SendOutcome> {
    const channel = this.#deps.channels.get(message.channel as ChannelName);
    if (channel === undefined) return { kind: "rejected", code: "no-channel", scope: "other" };
    const { id, sender: from, recipient: to, body } = message;
    return sendWithRetry(
      channel,
      { id, from, to, body },
      {
        signal: AbortSignal.timeout(SEND_BUDGET_MS),
        onAttemptFailed: ({ attempt, attempts, outcome, retryInMs }) => {
          const trace = { requestId: message.requestId, messageId: id, outcome: outcome.kind };
          this.#deps.logger.warn(`SMS send failed (attempt ${attempt}/${attempts})`, trace);
          if (retryInMs !== null)
            this.#deps.logger.info(`Retrying SMS send in ${retryInMs}ms`, trace);
        },
      },
    );
  }

  #announce(
    message: ClaimedMessage,
    outcome: SendOutcome,
    status: Awaited<ReturnType<typeof recordOutcome>>,
  ): void {
    const { events, alerts } = this.#deps;
    const trace = {
      requestId: message.requestId ?? message.id,
      tenantId: message.tenantId ?? undefined,
      conversationId: message.conversationId ?? undefined,
      messageId: message.id,
    };
    const code = outcome.kind === "accepted" ? "" : outcome.code;
    switch (status) {
      case "SENT":
        if (outcome.kind === "accepted")
          events.emit("message_sent", {
            ...trace,
            providerMessageId: outcome.providerId,
            attempts: message.attempts,
          });
        return;
      case "FAILED":
        events.emit("message_failed", { ...trace, code });
        if (outcome.kind === "rejected" && outcome.scope === "account")
          void alerts.raise({
            type: "CHANNEL_STOPPED",
            resource: message.channel,
            requestId: trace.requestId,
          });
        return;
      case "UNKNOWN":
        this.#announceUnknown(message.id, message.requestId, code);
        return;
      case "DEAD":
        events.emit("message_dead", trace);
        return;
      case "QUEUED":
      case null:
        return;
    }
  }

  #announceUnknown(messageId: string, requestId: string | null, code: string): void {
    this.#deps.events.emit("message_unknown", {
      requestId: requestId ?? messageId,
      messageId,
      code,
    });
    void this.#deps.alerts.raise({
      type: "MESSAGE_UNKNOWN_STUCK",
      requestId: requestId ?? messageId,
    });
  }
}
