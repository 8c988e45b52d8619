import type { Channel, ChannelName } from "@jobrun/messaging";

type Rate = Channel["rate"];

interface Bucket {
  rate: Rate;
  segments: number;
  at: number;
}

/**
 * Token buckets, one per sending number and process. What a sender has left bounds what may be
 * claimed for it, so texts beyond its rate wait in the outbox, where they keep their order, their
 * priority and their expiry.
 */
export class SenderRate {
  readonly #channels: ReadonlyMap<ChannelName, Pick<Channel, "rate">>;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now milliseconds of a clock that only goes forward */
  constructor(
    channels: ReadonlyMap<ChannelName, Pick<Channel, "rate">>,
    now: () => number = () => performance.now(),
  ) {
    this.#channels = channels;
    this.#now = now;
  }

  /** Counts segments that leave now. What is claimed may overdraw the bucket by the rest of one text. */
  take(channel: ChannelName, sender: string, segments: number): void {
    const rate = this.#channels.get(channel)?.rate;
    if (rate === undefined) return;
    const bucket = this.#buckets.get(sender) ?? { rate, segments: burstOf(rate), at: this.#now() };
    this.#buckets.set(sender, {
      rate,
      segments: this.#left(bucket) - segments,
      at: this.#now(),
    });
  }

  /** Segments that may leave now: what is left to the senders that have used some of their channel's burst. */
  room(): { bursts: Record<ChannelName, number>; left: Record<string, number> } {
    const left: Record<string, number> = {};
    for (const [sender, bucket] of this.#buckets) {
      const segments = this.#left(bucket);
      if (segments >= burstOf(bucket.rate)) this.#buckets.delete(sender);
      else left[sender] = segments;
    }
    const bursts = [...this.#channels].map(([name, { rate }]) => [name, burstOf(rate)] as const);
    return { bursts: Object.fromEntries(bursts), left };
  }

  #left({ rate, segments, at }: Bucket): number {
    const refilled = ((this.#now() - at) / 1000) * rate.perSecond;
    return Math.min(burstOf(rate), segments + refilled);
  }
}

function burstOf({ perSecond, burstSeconds }: Rate): number {
  return perSecond * burstSeconds;
}
