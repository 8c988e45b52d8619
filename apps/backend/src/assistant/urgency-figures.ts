import { isHeldOut, labelledTexts, type LabelledText } from "./urgency-labelled.ts";
import { detectUrgency, urgencies, type Urgency } from "./urgency.ts";

export interface UrgencyFigures {
  texts: number;
  /** share of texts whose level is exactly the labelled one, 0 to 1 */
  exact: number;
  levels: Record<
    Urgency,
    { labelled: number; found: number; right: number; precision: number; recall: number }
  >;
}

/** How the keyword net does on labelled texts. Precision: right / found. Recall: right / labelled. */
export function urgencyFigures(texts: readonly LabelledText[]): UrgencyFigures {
  const results = texts.map(({ text, label }) => ({ label, found: detectUrgency(text) }));
  const level = (urgency: Urgency) => {
    const labelled = results.filter((result) => result.label === urgency).length;
    const found = results.filter((result) => result.found === urgency).length;
    const right = results.filter(
      (result) => result.label === urgency && result.found === urgency,
    ).length;
    return {
      labelled,
      found,
      right,
      precision: share(right, found),
      recall: share(right, labelled),
    };
  };
  return {
    texts: results.length,
    exact: share(results.filter(({ label, found }) => label === found).length, results.length),
    levels: {
      unknown: level("unknown"),
      flexible: level("flexible"),
      this_week: level("this_week"),
      today: level("today"),
      emergency: level("emergency"),
    },
  };
}

/** The figures of the repository's labelled set as the Markdown tables of docs/urgency.md. */
export function urgencyReport(): string {
  const heldOut = labelledTexts.filter((_, index) => isHeldOut(index));
  const seen = labelledTexts.filter((_, index) => !isHeldOut(index));
  return [
    table("All texts", urgencyFigures(labelledTexts)),
    table("Texts the word list was adjusted on", urgencyFigures(seen)),
    table("Held-out texts", urgencyFigures(heldOut)),
  ].join("\n\n");
}

function table(title: string, figures: UrgencyFigures): string {
  const rows = urgencies.toReversed().map((urgency) => {
    const { labelled, found, right, precision, recall } = figures.levels[urgency];
    return `| ${urgency} | ${labelled} | ${found} | ${right} | ${percent(precision)} | ${percent(recall)} |`;
  });
  return [
    `### ${title}: ${figures.texts}, exact level ${percent(figures.exact)}`,
    "",
    "| level | labelled | found | right | precision | recall |",
    "| --- | --: | --: | --: | --: | --: |",
    ...rows,
  ].join("\n");
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}
