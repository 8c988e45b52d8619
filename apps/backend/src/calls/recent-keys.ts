/**
 * What this process did lately, by key, without a database. Bounded: past `max` the oldest key goes
 * first.
 */
export class RecentKeys {
  readonly #ends = new Map<string, number>();
  readonly #now: () => number;
  readonly #max: number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number, max = 10_000) {
    this.#now = now;
    this.#max = max;
  }

  /** @returns false when the key is held already; else it is held from now on, for `lifeMs`. */
  add(key: string, lifeMs: number): boolean {
    if (this.has(key)) return false;
    // Deleting first moves a key that ended to the end of the map's order.
    this.#ends.delete(key);
    this.#ends.set(key, this.#now() + lifeMs);
    if (this.#ends.size > this.#max) {
      for (const oldest of this.#ends.keys()) {
        this.#ends.delete(oldest);
        break;
      }
    }
    return true;
  }

  has(key: string): boolean {
    return (this.#ends.get(key) ?? 0) > this.#now();
  }

  delete(key: string): void {
    this.#ends.delete(key);
  }
}
