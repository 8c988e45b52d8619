import type { Rate } from "./plans.ts";
import type { Terms } from "./terms.ts";

/** A stored row that a rate is counted from. */
export interface Recent {
  /** When it was stored, milliseconds since the epoch */
  at: number;
  /** The order of commits */
  position: number;
  /** In the conversation that is looked at; else in another of the same person */
  here: boolean;
  /** A text of the person; else one of ours that told them of a limit */
  kind: "text" | "notice";
}

/** A text that is to be answered. */
export interface Arrival {
  /** Calls for no answer and is not counted */
  silent: boolean;
  /** Of one that is stored already; else it came just now, after all that is stored */
  stored?: { at: number; position: number };
}

/** The limit that a text is over. */
export interface OverLimit {
  scope: "conversation" | "sender";
  /** Texts in the window, this one included */
  currentCount: number;
  limit: number;
  windowSeconds: number;
  /** Whether the person was told within the window */
  alreadyNotified: boolean;
}

/**
 * Pure: for each text of a turn the limit it is over, or null. Each is counted at the time at which it
 * came itself, with those before it; one that waited for its answer is not late for it.
 *
 * @param texts of one conversation, oldest first
 * @param recent in any order; may contain those of `texts` that are stored
 * @param now milliseconds since the epoch, by the clock of `recent`
 */
export function overLimits(
  texts: readonly Arrival[],
  recent: readonly Recent[],
  terms: Pick<Terms, "conversationRate" | "senderRate">,
  now: number,
): (OverLimit | null)[] {
  const notices = recent.filter(({ kind }) => kind === "notice");
  const before = new Map<number, { at: number; here: boolean }>();
  for (const { kind, position, at, here } of recent)
    if (kind === "text") before.set(position, { at, here });
  for (const { silent, stored } of texts)
    if (stored !== undefined && !silent) before.set(stored.position, { at: stored.at, here: true });

  let place = Math.max(0, ...before.keys());
  return texts.map(({ silent, stored }) => {
    if (silent) return null;
    const text = stored ?? { at: now, position: (place += 1) };
    before.set(text.position, { at: text.at, here: true });
    const exceeded = (scope: OverLimit["scope"], { max, windowSeconds }: Rate) => {
      const since = text.at - windowSeconds * 1000;
      const counts = ({ here, at }: { here: boolean; at: number }) =>
        at > since && (here || scope === "sender");
      const earlier = [...before].filter(
        ([position, one]) => position < text.position && counts(one),
      );
      const currentCount = earlier.length + 1;
      if (currentCount <= max) return null;
      const alreadyNotified = notices.some(
        (notice) => counts(notice) && notice.at > now - windowSeconds * 1000,
      );
      return { scope, currentCount, limit: max, windowSeconds, alreadyNotified };
    };
    // The wider one first: who was told of it need not be told of the other.
    return exceeded("sender", terms.senderRate) ?? exceeded("conversation", terms.conversationRate);
  });
}
