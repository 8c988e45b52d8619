import type { Locale } from "../texts/fill.ts";

/** What an operator asks for. `number` is a job's; null where none was given and none is needed. */
export type Command =
  | { kind: "yes" | "no" | "resume"; number: number | null }
  | { kind: "done"; number: number }
  /** `words` as they were written; empty when there are none. */
  | { kind: "reply"; number: number; words: string }
  | { kind: "jobs" | "pause" | "help" };

type Kind = Command["kind"];

const VERBS: Record<string, Kind> = {
  YES: "yes",
  NO: "no",
  DONE: "done",
  REPLY: "reply",
  RESUME: "resume",
  JOBS: "jobs",
  PAUSE: "pause",
};
const FRENCH_VERBS: Record<string, Kind> = {
  OUI: "yes",
  NON: "no",
  FAIT: "done",
  REPONDRE: "reply",
  REPRENDRE: "resume",
  LISTE: "jobs",
};

const NOISE = String.raw`[\s\p{P}\p{S}\p{M}\p{Cf}]`;
const verb = new RegExp(String.raw`^${NOISE}*([\p{L}\p{M}]+)`, "u");
// 12:30, 12.30 and 12pm are times, not jobs. More than 9 digits is a phone number.
const jobNumber = new RegExp(
  String.raw`^${NOISE}*(?:(?:job|number|demande|n[°º])${NOISE}*)?(\d{1,9})(?![\p{L}\d]|[.:,]\d)`,
  "iu",
);
const nothingMore = new RegExp(
  String.raw`^${NOISE}*(?:(?:please|pls|thanks|thank you|cheers|merci|svp)${NOISE}*)*$`,
  "iu",
);

/**
 * Reads an operator's text: pure. Case, punctuation, spaces and thanks do not count; anything else
 * that is not a command asks for help, since half-understood words must not take or drop a job.
 *
 * @param locale of the tenant; French words count for a French one, English words for everybody
 */
export function parseCommand(text: string, locale: Locale): Command {
  const help = { kind: "help" } as const;
  const first = verb.exec(text);
  const kind = first?.[1] === undefined ? undefined : kindOf(first[1], locale);
  if (first === null || kind === undefined) return help;

  const after = text.slice(first[0].length);
  const numbered = jobNumber.exec(after);
  const number = numbered === null ? null : Number(numbered[1]);
  const rest = numbered === null ? after : after.slice(numbered[0].length);
  if (kind === "reply")
    return number === null
      ? help
      : { kind, number, words: rest.replace(/^\s*[:;,.\-–—]?/, "").trim() };
  if (!nothingMore.test(rest)) return help;
  switch (kind) {
    case "yes":
    case "no":
    case "resume":
      return { kind, number };
    case "done":
      return number === null ? help : { kind, number };
    case "jobs":
    case "pause":
    case "help":
      return number === null ? { kind } : help;
  }
}

/** A French phone writes RÉPONDRE. */
function kindOf(word: string, locale: Locale): Kind | undefined {
  const plain = word.normalize("NFD").replace(/\p{M}/gu, "").toUpperCase();
  const verbs = locale === "fr" ? { ...VERBS, ...FRENCH_VERBS } : VERBS;
  return Object.hasOwn(verbs, plain) ? verbs[plain] : undefined;
}
