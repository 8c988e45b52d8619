import { fill } from "../texts/fill.ts";
import { onboardingTexts } from "../texts/onboarding-texts.ts";
import { dialledFromLandline } from "./home-country.ts";
import type { SignUp } from "./sign-up.ts";
import { stepNumber, steps } from "./steps.ts";

export type TextKey = keyof typeof onboardingTexts;

/**
 * What a person is told: the notes, then the question of the state they are in.
 *
 * @param notes what comes before the question: a problem with the answer, a greeting
 */
export function wording(signUp: SignUp, notes: readonly TextKey[]): string {
  return sentences(signUp, [...notes, steps[signUp.state].question(signUp)]);
}

/** Texts one below the other, with what is known about the person. */
export function sentences(signUp: SignUp, keys: readonly TextKey[]): string {
  return keys.map((key) => sentence(signUp, key)).join("\n");
}

function sentence(signUp: SignUp, key: TextKey): string {
  const { answers, number, phone } = signUp;
  return fill(onboardingTexts[key][signUp.locale], {
    business: answers.businessName ?? "",
    trade: answers.trade ?? "",
    place: answers.place ?? "",
    owner: answers.ownerName ?? "",
    phone: answers.alertPhone ?? phone,
    number: number ?? "",
    landline: number === null ? "" : dialledFromLandline(number, phone),
    ...stepNumber(signUp.state),
  });
}
