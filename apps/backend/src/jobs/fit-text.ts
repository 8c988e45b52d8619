import { prepareSmsText } from "@jobrun/messaging";

/** On one line, cut to at most `most` of what a reader sees as characters; "..." shows that it was. */
export function clip(text: string, most: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  const characters = [...new Intl.Segmenter().segment(line)];
  if (characters.length <= most) return line;
  return `${line.slice(0, characters[Math.max(0, most - 3)]?.index).trimEnd()}...`;
}

/** @param text made of parts that went through prepareSmsText, so that only a cut can change it */
function fitsSms(text: string): boolean {
  return prepareSmsText(text).text === text;
}

/**
 * The largest count for which `build` makes a text that is sent whole. A larger count makes a longer
 * text; the one of 0 is taken as it is.
 */
export function longestFitting(most: number, build: (count: number) => string): string {
  let fits = 0;
  let tooLong = most + 1;
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (fitsSms(build(middle))) fits = middle;
    else tooLong = middle;
  }
  return build(fits);
}
