/** Entries kept; the oldest leaves first. Enough for any test, and a bound for benchmarks that run for hours. */
const CAPACITY = 200_000;

/** What happened, in order, with a bound, found by id, and with listeners, so that nobody has to poll. */
export class BoundedLog<T> {
  readonly #byId = new Map<string, T>();
  /** The entries from `#start` on; those before have left and go when they are as many as those that stay. */
  #order: { id: string; entry: T }[] = [];
  #start = 0;
  readonly #listeners = new Set<(entry: T) => void>();
  readonly #capacity: number;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /**
   * Adds an entry whose id is new.
   * @returns the entry that had to leave for it
   */
  append(id: string, entry: T): T | undefined {
    this.#byId.set(id, entry);
    this.#order.push({ id, entry });
    const left = this.#byId.size > this.#capacity ? this.#removeOldest() : undefined;
    // A copy: a listener that starts to wait has already seen this entry and must not be told twice.
    const listeners = [...this.#listeners];
    for (const listener of listeners) listener(entry);
    return left;
  }

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  all(): T[] {
    return [...this.#byId.values()];
  }

  /** Without copying: whoever needs the newest few pays for those alone. */
  *newestFirst(): Generator<T, void> {
    for (let index = this.#order.length - 1; index >= this.#start; index--) {
      const item = this.#order[index];
      if (item) yield item.entry;
    }
  }

  clear(): void {
    this.#byId.clear();
    this.#order = [];
    this.#start = 0;
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

  #removeOldest(): T | undefined {
    const oldest = this.#order[this.#start];
    if (!oldest) return undefined;
    this.#byId.delete(oldest.id);
    this.#start += 1;
    if (this.#start * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#start);
      this.#start = 0;
    }
    return oldest.entry;
  }
}
