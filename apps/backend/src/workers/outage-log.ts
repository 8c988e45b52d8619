import type { Logger } from "winston";
import { awayCode } from "../telemetry/database-away.ts";

/**
 * What a worker says about its failures. That the database is away it says once when that begins and
 * once when it is over, however often it asks in between; any other error it says each time.
 */
export class OutageLog {
  readonly #logger: Logger;
  readonly #worker: string;
  readonly #failure: string;
  #awaySince: number | null = null;

  /**
   * @param worker what its lines carry as `worker`
   * @param failure what does not work, as the message of a line
   */
  constructor(logger: Logger, worker: string, failure: string) {
    this.#logger = logger;
    this.#worker = worker;
    this.#failure = failure;
  }

  /** @returns whether the error is that the database is away */
  failed(error: unknown): boolean {
    const code = awayCode(error);
    if (code === null) {
      this.#logger.error(this.#failure, { worker: this.#worker, error });
      return false;
    }
    if (this.#awaySince !== null) return true;
    this.#awaySince = performance.now();
    const shown = { class: (error as object).constructor.name, code };
    this.#logger.error(this.#failure, { worker: this.#worker, error: shown });
    return true;
  }

  /** Call when the database has answered. */
  worked(): void {
    if (this.#awaySince === null) return;
    const seconds = Math.round((performance.now() - this.#awaySince) / 1000);
    this.#awaySince = null;
    this.#logger.info("the database is back", { worker: this.#worker, seconds });
  }

  /** Does one piece of work that asks the database, and says what became of that. Never throws. */
  async watch(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.worked();
    } catch (error) {
      this.failed(error);
    }
  }
}
