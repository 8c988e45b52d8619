/** A text ready for an SMS provider, with what it will be billed as. */
export interface SmsText {
  text: string;
  segments: number;
  encoding: "gsm7" | "ucs2";
}

const MAX_SEGMENTS = 3;
const ELLIPSIS = "...";
// 3GPP TS 23.038, default alphabet and its extension table (a character of which takes two septets).
const GSM7_BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const GSM7_EXTENSION = new Set("^{}\\[~]|€");
// Characters per segment, alone and as a part of several (the rest is the user data header).
const CAPACITY = {
  gsm7: { single: 160, part: 153 },
  ucs2: { single: 70, part: 67 },
} as const;

// Look-alikes that say the same: one of them alone would turn the whole text into UCS-2.
const FOLDED: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019\u201A\u201B\u2032\u00B4`]/g, "'"],
  [/[\u201C\u201D\u201E\u201F\u2033\u00AB\u00BB]/g, '"'],
  [/[\u2010-\u2015\u2212]/g, "-"],
  [/\u2026/g, "..."],
  [/[\t\u00A0\u2000-\u200A\u202F\u205F\u3000]/g, " "],
  [/[\u00AD\u200B\u2060\uFEFF]/g, ""],
];

/**
 * Makes a text fit for SMS: control characters and lone surrogates removed, look-alikes folded to
 * the GSM-7 alphabet, cut to 3 segments. A cut never splits what a reader sees as one character,
 * and ends in "...".
 *
 * @returns the text, its number of segments (0 for an empty text) and its encoding.
 */
export function prepareSmsText(text: string): SmsText {
  const clean = fold(
    text
      .replace(/\r\n?/g, "\n")
      .replace(/(?![\n\t])\p{Cc}|\p{Surrogate}/gu, "")
      .normalize("NFC"),
  );
  const whole = measure(clean);
  return whole.segments <= MAX_SEGMENTS ? whole : cut(clean);
}

function fold(text: string): string {
  return FOLDED.reduce((result, [pattern, plain]) => result.replace(pattern, plain), text);
}

function cut(text: string): SmsText {
  // No prefix that fits is longer than three full GSM-7 segments.
  const most = MAX_SEGMENTS * CAPACITY.gsm7.part;
  const ends = [0];
  for (const { index, segment } of new Intl.Segmenter().segment(text)) {
    if (index + segment.length > most) break;
    ends.push(index + segment.length);
  }
  // A longer prefix never takes fewer segments, so the last end that fits is found by halving.
  let fits = 0;
  let tooLong = ends.length;
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (shortened(text, ends[middle] ?? 0).segments <= MAX_SEGMENTS) fits = middle;
    else tooLong = middle;
  }
  return shortened(text, ends[fits] ?? 0);
}

function shortened(text: string, end: number): SmsText {
  return measure(text.slice(0, end).trimEnd() + ELLIPSIS);
}

function measure(text: string): SmsText {
  const characters = [...text];
  const isGsm7 = characters.every((c) => GSM7_BASIC.has(c) || GSM7_EXTENSION.has(c));
  const encoding = isGsm7 ? "gsm7" : "ucs2";
  const sizes = characters.map((c) => (isGsm7 ? (GSM7_EXTENSION.has(c) ? 2 : 1) : c.length));
  const { single, part } = CAPACITY[encoding];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= single) return { text, segments: text === "" ? 0 : 1, encoding };
  // A character of two units is not split between parts, so a part may end one unit early.
  let segments = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > part) {
      segments += 1;
      used = 0;
    }
    used += size;
  }
  return { text, segments, encoding };
}
