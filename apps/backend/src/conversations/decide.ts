import { detectUrgency } from "../assistant/urgency.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import { fill } from "../texts/fill.ts";
import { asksForNoMoreTexts } from "./opt-out-language.ts";
import type { View } from "./prepare.ts";

/** A change of the customer's consent to be texted, with the word that asked for it. */
export interface ConsentChange {
  optedOut: boolean;
  keyword: string;
}

/**
 * What to do with a turn: ask the assistant, or answer with what is known already (null: nothing).
 * `confirmation`: the one text that tells the customer that no more will come; it leaves even so.
 */
export type Decision = { consent: ConsentChange | null; confirmation: string | null } & (
  | Fixed
  /** `silent`: for the job only; nothing of it goes to the customer */
  | { kind: "assistant"; scripted: boolean; silent: boolean }
);

interface Fixed {
  kind: "fixed";
  reply: string | null;
  violation: boolean;
  /** The operator gets the customer's words: they are the one who answers. */
  forward: boolean;
}

// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out. YES is an ordinary answer, not an opt-in.
const OPT_OUT = new Set([
  "STOP",
  "STOPALL",
  "UNSUBSCRIBE",
  "END",
  "QUIT",
  "CANCEL",
  "REVOKE",
  "OPTOUT",
]);
const OPT_IN = new Set(["START", "UNSTOP"]);

/** Recorded as the keyword of an opt-out in the customer's own words. */
const PLAIN_LANGUAGE = "plain-language";

interface Situation {
  view: View;
  texts: string[];
  texted: string;
}

/** The rules in order; the first that speaks decides. */
const rules: ((situation: Situation) => Fixed | null)[] = [
  // Twilio answers its keywords itself: a reply of ours would be a second one.
  function onlyConsent({ texts }) {
    return texts.every(isOnlyConsent) ? fixed(null) : null;
  },
  function wrongMode({ view }) {
    return view.conversation?.mode === "ONBOARDING"
      ? { ...fixed(customerTexts.technicalIssue[view.tenant.locale]), violation: true }
      : null;
  },
  function paused({ view, texts, texted }) {
    if (!view.tenant.outboundPaused) return null;
    // Texts are off, an emergency is not; and who writes with a customer goes on reading them.
    const forward =
      view.conversation?.humanTakenOver === true ||
      texts.some((text) => detectUrgency(text) === "emergency");
    const reply = fill(customerTexts.deflection[view.tenant.locale], { phone: texted });
    return { ...fixed(reply), forward };
  },
  function humanHasTakenOver({ view }) {
    return view.conversation?.humanTakenOver ? { ...fixed(null), forward: true } : null;
  },
];

/**
 * DECIDE: pure. An opted-out customer is treated like any other, so that their job still reaches the
 * operator; only nothing goes back to them.
 *
 * @param texts what the customer wrote in this turn, oldest first, at least one
 * @param texted the number of ours that was texted, E.164
 */
export function decide(view: View, texts: string[], texted: string): Decision {
  const before = view.customer?.optedOut ?? false;
  const consent = texts.map(consentChange).findLast((change) => change !== null) ?? null;
  const silent = consent?.optedOut ?? before;
  const confirmation =
    !before && silent && consent?.keyword === PLAIN_LANGUAGE
      ? fill(customerTexts.optOutConfirmation[view.tenant.locale], { business: view.tenant.name })
      : null;
  for (const rule of rules) {
    const decision = rule({ view, texts, texted });
    if (decision === null) continue;
    return { ...decision, reply: silent ? null : decision.reply, consent, confirmation };
  }
  return { kind: "assistant", scripted: view.tenant.aiDisabled, silent, consent, confirmation };
}

function fixed(reply: string | null): Fixed {
  return { kind: "fixed", reply, violation: false, forward: false };
}

/** Whether the whole text is a word that the provider acts on and answers itself. */
export function isConsentKeyword(text: string): boolean {
  const keyword = asKeyword(text);
  return OPT_OUT.has(keyword) || OPT_IN.has(keyword);
}

/** What one text says about being texted: a whole-message keyword, or a wish in the person's own words. */
export function consentChange(text: string): ConsentChange | null {
  const keyword = asKeyword(text);
  if (isConsentKeyword(text)) return { optedOut: OPT_OUT.has(keyword), keyword };
  return asksForNoMoreTexts(text) ? { optedOut: true, keyword: PLAIN_LANGUAGE } : null;
}

/** "Leave me alone" is for nobody but us. "Stop texting me, the gas leak is worse" is for the operator too. */
function isOnlyConsent(text: string): boolean {
  return isConsentKeyword(text) || (asksForNoMoreTexts(text) && detectUrgency(text) === "unknown");
}

/** Case and punctuation do not count; the whole message must be the word. */
function asKeyword(text: string): string {
  return text.replace(/[\s\p{P}]+/gu, "").toUpperCase();
}
