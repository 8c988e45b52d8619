/** How fast one number of ours may write to one person. */
export interface PairRate {
  /** Takes the right to send one message now; false: there is none left. */
  take(sender: string, recipient: string): boolean;
}

// Source: developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform#rate-limits
const INTERVAL_MS = 6000;
const BURST = 45;
/**
 * The pair used longest ago is forgotten first. So many within the 270 s of a whole burst are more
 * than four numbers of ours can write to.
 */
const MOST_PAIRS = 100_000;

/**
 * Meta's pair rate: a message per 6 s to one person, up to 45 of them ahead of time.
 *
 * @param clock milliseconds that never go back
 */
export function pairRate(clock: () => number = () => performance.now()): PairRate {
  // When a pair may send its whole burst again. The pair used last is at the end.
  const fullAgain = new Map<string, number>();

  return {
    take(sender, recipient) {
      const now = clock();
      const pair = `${sender} ${recipient}`;
      const at = Math.max(fullAgain.get(pair) ?? 0, now);
      if (at - now > (BURST - 1) * INTERVAL_MS) return false;
      fullAgain.delete(pair);
      fullAgain.set(pair, at + INTERVAL_MS);
      if (fullAgain.size > MOST_PAIRS) forgetFirst(fullAgain);
      return true;
    },
  };
}

function forgetFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
