/**
 * A provider's text as PostgreSQL can store it: it refuses NUL bytes and cannot encode a lone
 * surrogate. Nothing else is touched, since these are the customer's own words.
 */
export function storableText(text: string): string {
  return text.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\uFFFD");
}
