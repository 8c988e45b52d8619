import { storableText } from "../storable-text.ts";

/** A JSON object. */
export type Fields = Record<string, unknown>;

// Meta's own objects are about 15 deep. PostgreSQL and JSON.stringify both recurse, so what a forger
// nests a million deep has to end before it reaches them.
const DEEPEST = 64;

/**
 * Reads a JSON document so that every part of it can be stored: strings and keys hold no NUL and no
 * lone surrogates, and what is nested deeper than 64 levels is null.
 *
 * @returns undefined when it is no JSON.
 */
export function parseStorableJson(json: Buffer | string): unknown {
  try {
    // A decoder drops a byte order mark, which JSON.parse would refuse.
    const text = typeof json === "string" ? json : new TextDecoder().decode(json);
    return storable(JSON.parse(text), DEEPEST);
  } catch {
    return undefined;
  }
}

function storable(value: unknown, depth: number): unknown {
  if (typeof value === "string") return storableString(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((inner) => storable(inner, depth - 1));
  // Not by assignment, which would take a key named __proto__ for the prototype.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storableString(key), storable(inner, depth - 1)]),
  );
}

// Nearly every string is fit as it is, and a webhook of 3 MB has tens of thousands of them.
function storableString(text: string): string {
  return text.isWellFormed() && !text.includes("\0") ? text : storableText(text);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object itself, or one without fields for anything else. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Every item of a list; what stands in the place of a list is its only item, so that it is not lost. */
export function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** A text that is not blank, or a number written out; null for anything else. */
export function textOf(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** An opaque key such as an id: printable ASCII, short enough for an index of the database. */
export function keyOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && /^[!-~]{1,255}$/.test(text) ? text : null;
}
