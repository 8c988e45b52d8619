import type { View } from "../conversations/prepare.ts";
import { quotaOf, type Quota } from "./quota.ts";
import { overLimits, type Arrival, type OverLimit } from "./rate.ts";
import { termsOf, type Terms } from "./terms.ts";

/** What limits mean for a turn. */
export interface Limits {
  terms: Terms;
  quota: Quota;
  /** The rate that each text of the turn is over, or null */
  overRate: (OverLimit | null)[];
}

/**
 * Pure: what limits mean for a turn.
 *
 * @param said the turn's texts, oldest first
 * @throws when the tenant's limits cannot be told: then nobody is refused for them
 */
export function limitsOf(view: View, said: readonly Arrival[]): Limits {
  const terms = termsOf(view.tenant.plan, view.tenant.limits);
  const overRate = overLimits(said, view.recent, terms, view.now);
  return { terms, quota: quotaOf(view.quota, terms), overRate };
}
