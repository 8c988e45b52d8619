import { ANSWER_TOKENS, UNLIMITED } from "./plans.ts";
import type { Terms } from "./terms.ts";

/** What is known of a tenant's use and of a conversation's block. */
export interface QuotaView {
  /** The day in the tenant's time zone, such as 2026-11-21; its first seven letters are the month */
  day: string;
  /** The period for which the conversation is known to be refused, on these terms; then nothing else was read */
  blockedFor: string | null;
  usage: { messages: number; dayTokens: number } | null;
  /** The day on which the customer was last told */
  toldOn: string | null;
}

/** Why there is no answer by the assistant. */
export interface Refusal {
  kind: "exceeded" | "blocked";
  reason: "monthly_messages" | "daily_tokens";
  /** The month or the day that must end */
  period: string;
  /** Of a block that is known: the limit, which it has reached at least */
  currentUsage: number;
  limit: number;
  /** The customer was told today */
  told: boolean;
}

export type Quota =
  /** `remaining` answers this month, or as many as the day's tokens are for; Infinity without limit */
  { kind: "allowed"; remaining: number } | Refusal;

/** Pure: whether the assistant may be asked. */
export function quotaOf({ day, blockedFor, usage, toldOn }: QuotaView, terms: Terms): Quota {
  const month = monthOf(day);
  const told = toldOn === day;
  const { monthlyMessages, dailyTokens } = terms;
  const monthly = { reason: "monthly_messages", period: month, limit: monthlyMessages } as const;
  const daily = { reason: "daily_tokens", period: day, limit: dailyTokens } as const;
  if (blockedFor !== null) {
    const known = blockedFor === month ? monthly : daily;
    return { kind: "blocked", ...known, currentUsage: known.limit, told };
  }
  if (usage === null) throw new Error("the use of a tenant who is not blocked must be read");
  const { messages, dayTokens } = usage;
  const messagesLeft = leftOf(monthlyMessages, messages);
  if (messagesLeft <= 0) return { kind: "exceeded", ...monthly, currentUsage: messages, told };
  const tokensLeft = leftOf(dailyTokens, dayTokens);
  if (tokensLeft <= 0) return { kind: "exceeded", ...daily, currentUsage: dayTokens, told };
  const remaining = Math.min(messagesLeft, Math.ceil(tokensLeft / ANSWER_TOKENS));
  return { kind: "allowed", remaining };
}

function leftOf(limit: number, used: number): number {
  return limit === UNLIMITED ? Infinity : limit - used;
}

/** Of a day such as 2026-11-21: 2026-11. */
export function monthOf(day: string): string {
  return day.slice(0, "2026-11".length);
}
