import type { Channel } from "@jobrun/messaging";
import { detectUrgency } from "../assistant/urgency.ts";
import type { Limits } from "../limits/limits-of.ts";
import type { Quota, Refusal } from "../limits/quota.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import { fill } from "../texts/fill.ts";
import { asksForNoMoreTexts } from "./opt-out-language.ts";
import type { StoredText, View } from "./prepare.ts";

/** A change of the customer's consent to be texted, with the word that asked for it. */
export interface ConsentChange {
  optedOut: boolean;
  keyword: string;
}

/**
 * What to do with a turn: ask the assistant, or answer with what is known already (null: nothing).
 * `confirmation`: the one text that tells the customer that no more will come; it leaves even so.
 */
export type Decision = {
  consent: ConsentChange | null;
  confirmation: string | null;
  /** The turn's texts that a rate was counted against and that are over it, and what the customer is told of it */
  overRate: { places: number[]; notice: string | null };
} & (Fixed | AskAssistant);

interface AskAssistant {
  kind: "assistant";
  scripted: boolean;
  /** For the job only; nothing of it goes to the customer */
  silent: boolean;
  /** Whether it is an answer that the tenant pays for */
  counted: boolean;
  /** The places of the turn's texts that are to be answered, at least one */
  places: number[];
}

interface Fixed {
  kind: "fixed";
  reply: string | null;
  violation: boolean;
  /** The operator gets the customer's words: they are the one who answers. */
  forward: boolean;
  /** The reply is, or was, that the quota is used up */
  refusal: Refusal | null;
}

/** Of texts that are only to be stored. */
const noLimits: Pick<Limits, "quota" | "overRate"> = {
  quota: { kind: "allowed", remaining: Infinity },
  overRate: [],
};

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
  channel: Pick<Channel, "answersKeywords">;
  quota: Quota;
  /** How many of the texts may be answered */
  answerable: number;
}

type Rule = (situation: Situation) => Fixed | null;

/** The rules in order; the first that speaks decides. */
const rules: Rule[] = [
  function onlyConsent({ view, texts, channel }) {
    if (!texts.every(isOnlyConsent)) return null;
    // Where the provider answers its keywords itself, a reply of ours would be a second one.
    const isBack =
      texts.map(consentChange).findLast((change) => change !== null)?.optedOut === false;
    const welcome = fill(customerTexts.optInConfirmation[view.tenant.locale], {
      business: view.tenant.name,
    });
    return fixed(isBack && !channel.answersKeywords ? welcome : null);
  },
  function wrongMode({ view }) {
    return view.conversation?.mode === "ONBOARDING"
      ? { ...fixed(customerTexts.technicalIssue[view.tenant.locale]), violation: true }
      : null;
  },
  function paused({ view, texts }) {
    if (!view.tenant.outboundPaused) return null;
    // Texts are off, an emergency is not; and who writes with a customer goes on reading them.
    const forward = view.conversation?.humanTakenOver === true || texts.some(isEmergency);
    const reply = fill(customerTexts.deflection[view.tenant.locale], {
      phone: view.numbers.texted,
    });
    return { ...fixed(reply), forward };
  },
  function quotaUsedUp({ view, texts, quota }) {
    if (quota.kind === "allowed" || texts.some(isEmergency)) return null;
    const { quotaExceeded, dailyQuotaExceeded } = customerTexts;
    const text = quota.reason === "daily_tokens" ? dailyQuotaExceeded : quotaExceeded;
    const reply = quota.told ? null : text[view.tenant.locale];
    return { ...fixed(reply), refusal: quota, forward: operatorReads(view) };
  },
];

/** For turns that a rate was counted against. */
const rulesBelowRate: Rule[] = [
  function allOverRate({ view, answerable }) {
    return answerable === 0 ? { ...fixed(null), forward: operatorReads(view) } : null;
  },
  function humanHasTakenOver({ view }) {
    return view.conversation?.humanTakenOver ? { ...fixed(null), forward: true } : null;
  },
];

/**
 * DECIDE: pure. An opted-out customer is treated like any other, so that their job still reaches the
 * operator; only nothing goes back to them.
 *
 * @param said what the customer wrote in this turn, oldest first, at least one
 */
export function decide(
  view: View,
  said: Pick<StoredText, "body" | "silent">[],
  channel: Pick<Channel, "answersKeywords">,
  limits = noLimits,
): Decision {
  const texts = said.filter(({ silent }) => !silent).map(({ body }) => body);
  const before = view.customer?.optedOut ?? false;
  const consent = texts.map(consentChange).findLast((change) => change !== null) ?? null;
  const silent = consent?.optedOut ?? before;
  const confirmation =
    !before && silent && (consent?.keyword === PLAIN_LANGUAGE || !channel.answersKeywords)
      ? fill(customerTexts.optOutConfirmation[view.tenant.locale], { business: view.tenant.name })
      : null;
  const common = { consent, confirmation, overRate: { places: [], notice: null } };
  // A reaction, a change of number: kept, and nothing to answer.
  if (texts.length === 0) return { ...fixed(null), ...common };

  const { quota } = limits;
  const places = placesOf(said, limits, view);
  const answerable = places.answered.filter((place) => said[place]?.silent === false).length;
  const situation = { view, texts, channel, quota, answerable };
  const early = firstOf(rules, situation);
  if (early !== null) return { ...early, reply: silent ? null : early.reply, ...common };

  const tells = places.refused.some((place) => limits.overRate[place]?.alreadyNotified === false);
  const notice = tells && !silent ? customerTexts.rateLimited[view.tenant.locale] : null;
  const counted = { ...common, overRate: { places: places.over, notice } };
  const late = firstOf(rulesBelowRate, situation);
  if (late !== null) return { ...late, ...counted };
  // Beyond a limit there is the script for an emergency, and nobody pays for it.
  const passes = quota.kind !== "allowed" || places.passed.length > 0;
  const scripted = view.tenant.aiDisabled || passes;
  const assistant = { kind: "assistant", scripted, silent, counted: !passes } as const;
  return { ...assistant, places: places.answered, ...counted };
}

function firstOf(inOrder: Rule[], situation: Situation): Fixed | null {
  for (const rule of inOrder) {
    const decision = rule(situation);
    if (decision !== null) return decision;
  }
  return null;
}

/** Which texts are over a rate; which of them are answered even so; which are refused; and all that are answered. */
function placesOf(
  said: Pick<StoredText, "body">[],
  { overRate }: Pick<Limits, "overRate">,
  { openJob }: View,
): Record<"over" | "passed" | "refused" | "answered", number[]> {
  const all = said.map((_, place) => place);
  const over = all.filter((place) => (overRate[place] ?? null) !== null);
  // Once the operator knows of an emergency, more of it is like any other text.
  const isNew = openJob?.urgency !== "emergency";
  const passed = over.filter((place) => isNew && isEmergency(said[place]?.body ?? ""));
  const refused = over.filter((place) => !passed.includes(place));
  return { over, passed, refused, answered: all.filter((place) => !refused.includes(place)) };
}

function fixed(reply: string | null): Fixed {
  return { kind: "fixed", reply, violation: false, forward: false, refusal: null };
}

function isEmergency(text: string): boolean {
  return detectUrgency(text) === "emergency";
}

/** Somebody is at work with this customer and waits for their words. */
function operatorReads({ conversation, openJob }: View): boolean {
  return conversation?.humanTakenOver === true || isKnownToOperator(openJob);
}

/** Whether the operator was told of the job. */
export function isKnownToOperator(job: View["openJob"]): boolean {
  return job?.status === "URGENT" || job?.status === "ACCEPTED";
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
