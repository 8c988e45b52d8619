/** Characters of a text message, and as many UTF-16 units: what Meta counts it does not say. */
export const LONGEST_TEXT = 4096;

/**
 * Words as WhatsApp takes them: without control characters and lone surrogates, cut to 4096. A cut
 * never splits what a reader sees as one character, and ends in "…".
 */
export function fitText(words: string): { text: string; segments: number } {
  const text = withoutControls(words);
  return { text: text.length <= LONGEST_TEXT ? text : cut(text), segments: 1 };
}

/** Leaves out what neither Meta nor the database takes. */
export function withoutControls(words: string): string {
  return words.replace(/\r\n?/g, "\n").replace(/(?![\n\t])\p{Cc}|\p{Surrogate}/gu, "");
}

function cut(text: string): string {
  const last = new Intl.Segmenter().segment(text).containing(LONGEST_TEXT - 1);
  return `${text.slice(0, last?.index ?? 0).trimEnd()}…`;
}
