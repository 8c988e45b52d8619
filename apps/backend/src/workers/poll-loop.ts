/** Runs one task again and again, one run at a time: when woken, and at the latest every `intervalMs`. */
export class PollLoop {
  readonly #task: () => Promise<void>;
  readonly #intervalMs: number;
  #woken = false;
  #wakeUp: (() => void) | null = null;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  /**
   * @param task never throws
   * @param intervalMs longest pause between two runs
   */
  constructor(task: () => Promise<void>, intervalMs: number) {
    this.#task = task;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Asks for a run now; during a run, for another one right after it. */
  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  /** Resolves when the run in progress has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeUp?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      await this.#task();
      if (!this.#woken && !this.#stopped) await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#intervalMs);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
