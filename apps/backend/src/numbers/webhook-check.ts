import type { Database } from "@jobrun/db";
import { maskAddress, type ProviderNumbers } from "@jobrun/messaging";
import type { Logger } from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { compareNumbers, type NumberComparison } from "./provision.ts";

export interface WebhookCheckDeps {
  db: Database;
  numbers: ProviderNumbers;
  publicBaseUrl: string;
  alerts: AlertService;
  logger: Logger;
}

/** `unchecked`: not looked yet, or the last look got no answer. */
export type WebhookState = "ok" | "differs" | "unchecked";

const INTERVAL_MS = 60 * 60_000;
/** While something is wrong: a correction shows, and the incident closes, soon after it was made. */
const INTERVAL_WHILE_WRONG_MS = 5 * 60_000;
/** Longest one look may take: some pages of a list. */
const LIMIT_MS = 60_000;
const MOST_NAMED = 20;

/**
 * Watches that the provider sends the messages of every number of the pool here: at start and
 * every hour. Where one does not, the founder is told, since its customers' texts are lost.
 */
export class WebhookCheck {
  readonly #deps: WebhookCheckDeps;
  readonly #stopping = new AbortController();
  #state: WebhookState = "unchecked";
  #running: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: WebhookCheckDeps) {
    this.#deps = deps;
  }

  /** What the last look found. */
  state(): WebhookState {
    return this.#state;
  }

  /** Looks now, without making anybody wait, and goes on until `stop`. */
  start(): void {
    this.#running = this.#run();
  }

  /** Cuts a look in progress short; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#check();
    if (this.#stopping.signal.aborted) return;
    const pauseMs = this.#state === "ok" ? INTERVAL_MS : INTERVAL_WHILE_WRONG_MS;
    this.#timer = setTimeout(() => this.start(), pauseMs);
  }

  async #check(): Promise<void> {
    const { db, numbers, publicBaseUrl, logger } = this.#deps;
    const limit = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(LIMIT_MS)]);
    try {
      await this.#report(await compareNumbers(db, numbers, publicBaseUrl, limit));
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#state = "unchecked";
      logger.warn("the numbers' webhooks could not be compared; trying again in 5 min", { error });
    }
  }

  async #report(comparisons: NumberComparison[]): Promise<void> {
    const { alerts, logger } = this.#deps;
    const wrong = comparisons.filter(({ state }) => state !== "ok");
    if (wrong.length === 0) {
      await alerts.resolve("WEBHOOK_CONFIG_DIFFERS");
      this.#state = "ok";
      return;
    }
    const count = `${wrong.length} of ${comparisons.length} numbers`;
    logger.warn(`${count} are not set up at the provider to reach this gateway`, {
      numbers: wrong.slice(0, MOST_NAMED).map(({ phoneNumber, state, differences }) => ({
        number: maskAddress(phoneNumber),
        state,
        differences,
      })),
    });
    await alerts.raise({
      type: "WEBHOOK_CONFIG_DIFFERS",
      summary: `${count} are not set up at the provider to reach this gateway: see \`pnpm provision --check\``,
    });
    this.#state = "differs";
  }
}
