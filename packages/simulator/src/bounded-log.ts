/** Entries kept; the oldest leaves first. Enough for any test, and a bound for benchmarks that run for hours. */
const CAPACITY = 200_000;

/** What happened, in order, with a bound, found by id, and with listeners, so that nobody has to poll. */
export class BoundedLog<T> {
  readonly #entries = new Map<string, T>();
  readonly #listeners = new Set<(entry: T) => void>();
  readonly #capacity: number;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  append(id: string, entry: T): void {
    this.#entries.set(id, entry);
    if (this.#entries.size > this.#capacity) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    // A copy: a listener that starts to wait has already seen this entry and must not be told twice.
    const listeners = [...this.#listeners];
    for (const listener of listeners) listener(entry);
  }

  get(id: string): T | undefined {
    return this.#entries.get(id);
  }

  all(): T[] {
    return [...this.#entries.values()];
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Calls `listener` for every entry from now on, until the returned function is called. */
  listen(listener: (entry: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Resolves with all matching entries as soon as there are `count` of them, those already there included.
   * @throws after `timeoutMs`, an error that shows the entries it saw
   */
  waitFor(count: number, matches: (entry: T) => boolean, timeoutMs: number): Promise<T[]> {
    const seen = this.all().filter(matches);
    if (seen.length >= count) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const stop = this.listen((entry) => {
        if (!matches(entry)) return;
        seen.push(entry);
        if (seen.length < count) return;
        clearTimeout(timer);
        stop();
        resolve(seen);
      });
      const timer = setTimeout(() => {
        stop();
        const what = JSON.stringify(seen, null, 2);
        reject(
          new Error(`waited ${timeoutMs} ms for ${count} entries and saw ${seen.length}: ${what}`),
        );
      }, timeoutMs);
    });
  }
}
