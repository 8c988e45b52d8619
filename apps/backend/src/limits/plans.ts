/** Stands for "without limit" wherever a limit is a number. */
export const UNLIMITED = -1;

/** So many texts in a window. Those beyond are stored, not answered. */
export interface Rate {
  max: number;
  windowSeconds: number;
}

export const planNames = ["starter", "pro", "business", "enterprise"] as const;
export type PlanName = (typeof planNames)[number];

interface Quotas {
  /** Answers of the assistant in a calendar month of the tenant's time zone */
  monthlyMessages: number;
  /** Tokens of the model, in and out, in a day of the tenant's time zone */
  dailyTokens: number;
}

/** What an answer costs at most, as a rule: so much of a day's tokens is kept for each turn that thinks. */
export const ANSWER_TOKENS = 2_000;

/** What tenants can be on. An answer costs 1,000 to 2,000 tokens; a day may take a fifth of a month's answers. */
export const plans: Record<PlanName, Quotas> = {
  starter: { monthlyMessages: 1_000, dailyTokens: 300_000 },
  pro: { monthlyMessages: 5_000, dailyTokens: 1_500_000 },
  business: { monthlyMessages: 25_000, dailyTokens: 7_500_000 },
  enterprise: { monthlyMessages: UNLIMITED, dailyTokens: UNLIMITED },
};

/** Of every plan, until a tenant's own settings say otherwise. */
export const usualRates = {
  conversationRate: { max: 5, windowSeconds: 30 },
  senderRate: { max: 20, windowSeconds: 300 },
} as const satisfies Record<string, Rate>;
