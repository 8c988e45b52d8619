import { customerTexts } from "./customer-texts.ts";
import type { View } from "./prepare.ts";

/** A change of the customer's consent to be texted, with the word that asked for it. */
export interface ConsentChange {
  optedOut: boolean;
  keyword: string;
}

/** What to do with a turn: ask the assistant, or answer with what is known already (null: nothing). */
export type Decision = { consent: ConsentChange | null } & (
  | { kind: "assistant"; scripted: boolean }
  | { kind: "fixed"; reply: string | null; violation: boolean }
);

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

interface Situation {
  view: View;
  texts: string[];
  texted: string;
  consent: ConsentChange | null;
}

/** The rules in order; the first that speaks decides. */
const rules: ((
  situation: Situation,
) => Omit<Extract<Decision, { kind: "fixed" }>, "consent"> | null)[] = [
  // Twilio answers these words itself: a reply of ours would be a second one.
  function onlyKeywords({ texts }) {
    return texts.every(isConsentKeyword) ? fixed(null) : null;
  },
  function optedOut({ view, consent }) {
    return (consent?.optedOut ?? view.customer?.optedOut) ? fixed(null) : null;
  },
  function wrongMode({ view }) {
    return view.conversation?.mode === "ONBOARDING"
      ? { ...fixed(customerTexts.technicalIssue[view.tenant.locale]), violation: true }
      : null;
  },
  function paused({ view, texted }) {
    return view.tenant.outboundPaused
      ? fixed(customerTexts.deflection[view.tenant.locale].replace("{phone}", texted))
      : null;
  },
];

/**
 * DECIDE: pure.
 *
 * @param texts what the customer wrote in this turn, oldest first, at least one
 * @param texted the number of ours that was texted, E.164
 */
export function decide(view: View, texts: string[], texted: string): Decision {
  const consent = consentChange(texts);
  for (const rule of rules) {
    const decision = rule({ view, texts, texted, consent });
    if (decision !== null) return { ...decision, consent };
  }
  return { kind: "assistant", scripted: view.tenant.aiDisabled, consent };
}

function fixed(reply: string | null) {
  return { kind: "fixed", reply, violation: false } as const;
}

function consentChange(texts: string[]): ConsentChange | null {
  const last = texts.findLast(isConsentKeyword);
  return last === undefined
    ? null
    : { optedOut: OPT_OUT.has(asKeyword(last)), keyword: asKeyword(last) };
}

function isConsentKeyword(text: string): boolean {
  return OPT_OUT.has(asKeyword(text)) || OPT_IN.has(asKeyword(text));
}

/** Case and punctuation do not count; the whole message must be the word. */
function asKeyword(text: string): string {
  return text.replace(/[\s\p{P}]+/gu, "").toUpperCase();
}
