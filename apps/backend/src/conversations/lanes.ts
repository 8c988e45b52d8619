/** One of those who wait in a lane. */
interface Entry<Item, Result> {
  readonly item: Item;
  readonly settled: boolean;
  settle(result: Result): void;
}

/** What a turn may do with the lane it runs in. */
export interface Turn<Item, Result> {
  /** What this turn answers. Entries left unsettled at its end wait for the next turn. */
  readonly entries: Entry<Item, Result>[];
  /** Takes what arrived meanwhile into this turn. */
  absorb(): void;
}

interface Lane<Item, Result> {
  waiting: Entry<Item, Result>[];
  inWork: Map<string, Promise<Result>>;
}

/**
 * Lanes: one turn at a time per key. What arrives while a turn runs waits, and the next turn takes
 * all of it together. An id that is waiting or running already is not queued again: both callers
 * get the one result (single flight).
 */
export class Lanes<Item, Result> {
  readonly #lanes = new Map<string, Lane<Item, Result>>();
  readonly #takeTurn: (turn: Turn<Item, Result>) => Promise<void>;

  /** @param takeTurn never throws and settles at least one entry */
  constructor(takeTurn: (turn: Turn<Item, Result>) => Promise<void>) {
    this.#takeTurn = takeTurn;
  }

  /**
   * Queues an item and resolves with what its turn made of it.
   *
   * @returns `joined` is true when the id was in work already and this call only waited with it
   */
  async join(key: string, id: string, item: Item): Promise<{ result: Result; joined: boolean }> {
    const lane = this.#lanes.get(key) ?? this.#open(key);
    const inWork = lane.inWork.get(id);
    if (inWork !== undefined) return { result: await inWork, joined: true };

    const { promise, resolve } = Promise.withResolvers<Result>();
    lane.inWork.set(id, promise);
    const entry = {
      item,
      settled: false,
      settle(result: Result) {
        entry.settled = true;
        lane.inWork.delete(id);
        resolve(result);
      },
    };
    lane.waiting.push(entry);
    return { result: await promise, joined: false };
  }

  /** A lane lives while it has work; its first turn starts when the caller has queued its item. */
  #open(key: string): Lane<Item, Result> {
    const lane: Lane<Item, Result> = { waiting: [], inWork: new Map() };
    this.#lanes.set(key, lane);
    queueMicrotask(() => void this.#run(key, lane));
    return lane;
  }

  async #run(key: string, lane: Lane<Item, Result>): Promise<void> {
    while (lane.waiting.length > 0) {
      const entries = lane.waiting.splice(0);
      await this.#takeTurn({ entries, absorb: () => entries.push(...lane.waiting.splice(0)) });
      lane.waiting.unshift(...entries.filter((entry) => !entry.settled));
    }
    this.#lanes.delete(key);
  }
}
