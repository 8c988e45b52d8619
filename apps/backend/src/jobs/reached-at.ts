import { localeOf } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";

/** A customer as the operator is told of them. */
export interface Reached {
  phone: string | null;
  /** The tenant's */
  locale: string;
}

/** The number of a customer for whoever would call them, or words for the lack of one. */
export function reachedAt({ phone, locale }: Reached): string {
  return phone ?? operatorTexts.noNumber[localeOf(locale)];
}
