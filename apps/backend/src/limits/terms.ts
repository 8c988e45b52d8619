import { z } from "zod";
import { planNames, plans, UNLIMITED, usualRates, type Rate } from "./plans.ts";

/** The limits that hold for a tenant. */
export interface Terms {
  /** -1: without limit, as the next */
  monthlyMessages: number;
  dailyTokens: number;
  conversationRate: Rate;
  senderRate: Rate;
}

export const planName = z.enum(planNames);
export const rate = z.strictObject({ max: z.int().min(1), windowSeconds: z.int().min(1) });

/** Strict: a limit under another name must not be passed over for the plan's. */
const ownLimits = z
  .strictObject({
    monthlyMessages: z.int().min(UNLIMITED).nullable(),
    conversationRate: rate.nullable(),
    senderRate: rate.nullable(),
  })
  .partial();

/**
 * The plan, with what the tenant has of their own.
 *
 * @param plan and `limits` as the tenant's row has them
 * @throws when either is not known here: whoever cannot tell a limit must not apply one
 */
export function termsOf(plan: string, limits: unknown): Terms {
  const quotas = plans[planName.parse(plan)];
  const own = ownLimits.parse(limits);
  return {
    monthlyMessages: own.monthlyMessages ?? quotas.monthlyMessages,
    dailyTokens: quotas.dailyTokens,
    conversationRate: own.conversationRate ?? usualRates.conversationRate,
    senderRate: own.senderRate ?? usualRates.senderRate,
  };
}
