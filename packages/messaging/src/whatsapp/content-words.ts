import { z } from "zod";
import { LONGEST_TEXT } from "./fit-text.ts";

/** A kind of message a person may send, in Meta's shape. */
export interface ContentKind<T = unknown> {
  schema: z.ZodType<T>;
  /** It in words: what the history shows. */
  inWords(value: T): string;
  /** What Meta is sent beside or instead of `{ [type]: value }`. */
  payload?(value: T): Record<string, unknown>;
  /** True of what cannot be an answer to one message. */
  standsAlone?: boolean;
}

/** Keeps the schema and the words of a kind of one type. */
export function contentKind<T>(kind: ContentKind<T>): ContentKind {
  // Only what the schema has read is given to the other functions.
  return kind as ContentKind;
}

/** A text that is more than blanks, up to so many characters. */
export function words(longest: number = LONGEST_TEXT): z.ZodString {
  const error = `must be a text of 1 to ${longest} characters`;
  // One problem per text: what is too long or blank is not looked at any further.
  return z.string(error).max(longest, { error, abort: true }).regex(/\S/, { error, abort: true });
}

/** What the customer's answer will name: a text without blanks around it. */
export function answerId(longest: number): z.ZodString {
  return words(longest).refine((id) => id === id.trim(), "must not begin or end with a space");
}

/** Meta's id of a message or a file. */
export function idOf(what: string): z.ZodString {
  const error = `must be the id of a ${what}`;
  return z.string(error).regex(/^[!-~]{1,512}$/, error);
}

export const webLink = link("must be a link with http:// or https://", /^https?:\/\/\S+$/i);

/** A link in full: a parser of URLs also takes one without slashes, or with blanks within. */
function link(error: string, writing: RegExp): z.ZodURL {
  return z.url({ error, abort: true }).regex(writing, error);
}

export const flag = z.boolean("must be true or false");

/** A list with so many entries. */
export function listOf<T extends z.ZodType>(
  entry: T,
  { min = 1, max }: { min?: number; max: number },
): z.ZodArray<T> {
  const error = `must be a list of ${min === max ? max : `${min} to ${max}`}`;
  return z.array(entry, error).min(min, error).max(max, error);
}

/** What every emoji has: a pictogram, the letters of a flag, or the frame of a keycap. */
export const HAS_EMOJI = /\p{Extended_Pictographic}|\p{RI}\p{RI}|\u20E3/u;

/** Whether no two of them are the same. */
export function areUnique(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}

/** "[image] a caption", or "[image]". */
export function labelled(label: string, text: string | undefined): string {
  return text === undefined || text === "" ? `[${label}]` : `[${label}] ${text}`;
}
