/**
 * So much of a sender's rate may leave at once: the provider queues what comes faster than its own
 * rate, and a burst of customers should not wait here first.
 */
const BURST_SECONDS = 5 * 60;

interface Bucket {
  segments: number;
  at: number;
}

/**
 * Token buckets, one per sending number and process. What a sender has left bounds what may be
 * claimed for it, so texts beyond its rate wait in the outbox, where they keep their order, their
 * priority and their expiry.
 */
export class SenderRate {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now milliseconds of a clock that only goes forward */
  constructor(segmentsPerSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = segmentsPerSecond;
    this.#now = now;
  }

  /** Counts segments that leave now. What is claimed may overdraw the bucket by the rest of one text. */
  take(sender: string, segments: number): void {
    this.#buckets.set(sender, { segments: this.#left(sender) - segments, at: this.#now() });
  }

  /** Segments that may leave now: what is left to the senders that have used some of their burst. */
  room(): { burst: number; left: Record<string, number> } {
    const left: Record<string, number> = {};
    for (const sender of this.#buckets.keys()) {
      const segments = this.#left(sender);
      if (segments >= this.#burst) this.#buckets.delete(sender);
      else left[sender] = segments;
    }
    return { burst: this.#burst, left };
  }

  get #burst(): number {
    return this.#perSecond * BURST_SECONDS;
  }

  #left(sender: string): number {
    const bucket = this.#buckets.get(sender);
    if (bucket === undefined) return this.#burst;
    const refilled = ((this.#now() - bucket.at) / 1000) * this.#perSecond;
    return Math.min(this.#burst, bucket.segments + refilled);
  }
}
