import { normaliseAddress } from "@jobrun/messaging";
import { homeCountry } from "./home-country.ts";
import type { TextKey } from "./wording.ts";

/** What a person has told us. Kept as JSON in their row. */
export interface Answers {
  trade?: string | undefined;
  place?: string | undefined;
  businessName?: string | undefined;
  ownerName?: string | undefined;
  /** E.164 */
  alertPhone?: string | undefined;
  phoneType?: PhoneType | undefined;
}

type PhoneType = "iphone" | "android" | "landline";

/** A text read as the answer to one question. */
type Reading = { kind: "answer"; values: Answers } | { kind: "problem"; problem: TextKey };

/** Pure. `phone`: who answers, E.164 */
export type ReadAnswer = (text: string, phone: string) => Reading;

const MIN_NAME = 2;
const MAX_BUSINESS_NAME = 50;
const MAX_NAME = 40;
const LINK = /https?:|www\.|\/\//i;
const E164 = /^\+[1-9]\d{6,14}$/;
const BETWEEN_TRADE_AND_PLACE =
  /\s*[,;\n/|]\s*|\s+[-\u2013\u2014]\s+|\s+(?:in|at|near|around|à|en|sur|près de)\s+/iu;
const THIS_PHONE =
  /^(?:SAME|THIS)(?:ONE|NUMBER|PHONE)?$|^(?:IDEM|CELUICI|CENUM[ÉE]RO|CET[ÉE]L[ÉE]PHONE|LEM[ÊE]ME)$/u;
const YES = new Set(["YES", "Y", "OUI", "O"]);
const DONE = new Set(["DONE", "READY", "OK", "YES", "FAIT", "CESTFAIT", "OUI"]);
const PHONE_TYPES: readonly (readonly [PhoneType, RegExp])[] = [
  ["iphone", /(?<!\w)(?:1|iphone)(?!\w)/i],
  ["android", /(?<!\w)(?:2|android)(?!\w)/i],
  ["landline", /(?<!\w)(?:3|landline|fixe)(?!\w)/i],
];

export const readTradeAndPlace: ReadAnswer = (text) => {
  const clean = cleaned(text);
  const gap = BETWEEN_TRADE_AND_PLACE.exec(clean);
  if (gap === null) return problem("needTradeAndPlace");
  const trade = asName(clean.slice(0, gap.index), MAX_NAME);
  const place = asName(clean.slice(gap.index + gap[0].length), MAX_NAME);
  return trade === null || place === null ? problem("needTradeAndPlace") : answer({ trade, place });
};

export const readBusinessName: ReadAnswer = (text) => {
  const businessName = asName(text, MAX_BUSINESS_NAME);
  // It stands in texts to anybody who calls: with a link in it they would be advertisements.
  return businessName === null || LINK.test(businessName)
    ? problem("needName")
    : answer({ businessName });
};

export const readOwnerName: ReadAnswer = (text) => {
  const ownerName = asName(text, MAX_NAME);
  return ownerName === null ? problem("needName") : answer({ ownerName });
};

export const readAlertPhone: ReadAnswer = (text, phone) => {
  if (THIS_PHONE.test(asWord(text))) return answer({ alertPhone: phone });
  const alertPhone = normaliseAddress(text, homeCountry(phone).region);
  // A short code or a name is an address too, but nobody can be reached there.
  return alertPhone !== null && E164.test(alertPhone)
    ? answer({ alertPhone })
    : problem("needPhone");
};

export const readConfirmation: ReadAnswer = (text) =>
  YES.has(asWord(text)) ? answer({}) : problem("notUnderstood");

export const readPhoneType: ReadAnswer = (text) => {
  const [first, ...others] = PHONE_TYPES.filter(([, pattern]) => pattern.test(text));
  return first === undefined || others.length > 0
    ? problem("notUnderstood")
    : answer({ phoneType: first[0] });
};

export const readDone: ReadAnswer = (text) =>
  DONE.has(asWord(text)) ? answer({}) : problem("notUnderstood");

/** A whole message as one word: case, spaces and punctuation do not count. */
export function asWord(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[\s\p{P}]+/gu, "")
    .toUpperCase();
}

function asName(text: string, most: number): string | null {
  const name = cleaned(text).replace(/\s+/g, " ").trim();
  const { length } = [...name];
  return length >= MIN_NAME && length <= most && /[\p{L}\p{N}]/u.test(name) ? name : null;
}

/** Names are shown to customers: nothing invisible stays in them but what joins an emoji. */
function cleaned(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\r\n?/g, "\n")
    .replace(/\t/g, " ")
    .replace(/(?![\n\u200C\u200D])[\p{Cc}\p{Cf}\p{Surrogate}\p{Co}]/gu, "")
    .trim();
}

function answer(values: Answers): Reading {
  return { kind: "answer", values };
}

function problem(key: TextKey): Reading {
  return { kind: "problem", problem: key };
}
