import { shorten, type JobDraft } from "./assistant.ts";

/**
 * Job details that plain patterns find in a customer's text, English and French, in the customer's own words;
 * null for what is not there. Patterns miss much and that is fine: the scripted assistant then asks.
 */
export function findJobDetails(text: string): Omit<JobDraft, "summary"> {
  return {
    type: trades.find(([, words]) => words.test(text))?.[0] ?? null,
    location: joined(text, places),
    requestedTime: joined(text.replace(pastTimes, " "), [times]),
    customerName: names.exec(text)?.[1]?.trim() ?? null,
  };
}

/** The customer's words without greeting, cut at a word to at most 120 characters; "" if nothing is left. */
export function summarise(text: string): string {
  const said = text.replace(greeting, "").replace(/\s+/g, " ");
  return /\p{L}/u.test(said) ? shorten(said, 120) : "";
}

/** A greeting at the start of a text, with the punctuation after it. */
export const greeting =
  /^(?:\s*(?:hi|hiya|hello|hey|good (?:morning|afternoon|evening)|bonjour|bonsoir|salut|coucou)(?: there| mate| madame| monsieur)?(?![\p{L}\p{N}])[\s,.!:)-]*)+/iu;

/** Which trade; the first that matches, so the telling words come first. */
const trades: readonly (readonly [string, RegExp])[] = [
  ["locksmith", /\b(?:lock(?:s|ed|smith)?|keys?|serrure|serrurier|cl[ée]s?|porte a claqu)/iu],
  ["heating", /\b(?:boiler|heating|radiators?|thermostat|chaudi[èe]re|chauffage|radiateurs?)\b/iu],
  [
    "electrical",
    /\b(?:electric\w*|sockets?|fuse|wiring|rewir\w*|lights?|sparks?|power|prise|disjoncteur|[ée]lectri\w*|courant)\b/iu,
  ],
  ["gas", /\b(?:gas|gaz)\b/iu],
  [
    "plumbing",
    /\b(?:plumb\w*|pipes?|taps?|leak\w*|toilets?|loo|sink|drains?|shower|cistern|water|plomb\w*|fuites?|robinets?|[ée]viers?|toilettes|wc|douche|canalisations?|eau)\b/iu,
  ],
];

const street =
  /\b\d{1,4}[a-z]?,?\s+(?:\p{L}[\p{L}'-]*\s+){1,3}(?:street|st|road|rd|lane|avenue|ave|drive|close|way|court|place|gardens|terrace|crescent|hill)\b/giu;
const frenchStreet =
  /\b\d{1,4}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|av|boulevard|bd|place|chemin|impasse|all[ée]e|quai|route)(?:\s+[\p{L}'-]+){1,4}/giu;
/** UK postcodes as in BS 7666: outward code, space, inward code. */
const ukPostcode = /\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b/giu;
const frenchPostcode = /\b\d{5}\b(?:\s+\p{Lu}[\p{L}'-]+)?/gu;
const town =
  /(?<![\p{L}\p{N}])(?:[Ii]n|[Aa]t|[Nn]ear|à|À)\s+(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May\b|June|July|August|September|October|November|December|Christmas|Easter)(\p{Lu}[\p{L}'-]+(?:[ -]\p{Lu}[\p{L}'-]+){0,3})/gu;
const places = [street, frenchStreet, ukPostcode, frenchPostcode, town];

/** "no hot water since this morning" says when it began, not when to come. */
const pastTimes =
  /\b(?:since|from|depuis)\s+(?:(?:this|last|ce|cet|hier)\s+)?[\p{L}\p{N}]+|\b(?:last|yesterday)\s+\p{L}+/giu;
const times =
  /(?<![\p{L}\p{N}])(?:today|tonight|tomorrow(?: (?:morning|afternoon|evening))?|(?:(?:this|next|on) )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)(?: (?:morning|afternoon|evening))?|this (?:morning|afternoon|evening|week)|next (?:week|month)|(?:this |the )?weekend|asap|as soon as possible|right (?:now|away)|straight away|whenever[^.,!?]{0,30}|(?:at |after |before )?\d{1,2}(?:[:.]\d\d)?\s?(?:am|pm)|(?:at |after |before )?\d{1,2}:\d\d|aujourd['’]hui|ce (?:matin|soir|week-end)|cet après-midi|après-demain|demain(?: (?:matin|soir|après-midi))?|(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)(?: (?:matin|soir|prochain))?|cette semaine|la semaine prochaine|dès que possible|tout de suite|(?:à |après |avant )?\d{1,2}\s?h(?:\d\d)?)(?![\p{L}\p{N}])/giu;

const names =
  /\b(?:[Mm]y name(?: is|['’]s)|[Jj]e m['’]appelle|[Mm]on nom est)\s+(\p{L}[\p{L}'’-]*(?:\s\p{Lu}[\p{L}'’-]+)?)/u;

function joined(text: string, patterns: readonly RegExp[]): string | null {
  const found = patterns
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map((match) => (match[1] ?? match[0]).trim());
  const distinct = [...new Set(found)].filter(
    (part) => !found.some((other) => other !== part && other.includes(part)),
  );
  return distinct.length > 0 ? shorten(distinct.slice(0, 3).join(", "), 120) : null;
}
