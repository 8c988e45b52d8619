import { styleText } from "node:util";

export type Owner = "customer" | "operator" | "founder";

/** Widths in characters; together with the gaps they fill 79 columns. */
const GUTTER = 10;
const PHONE = 33;
const BUBBLE = 28;
const GAP = "   ";
const COLOURS = { customer: "cyan", operator: "yellow", founder: "magenta" } as const;

/**
 * Shows two phones side by side, later a third, line by line as things happen. Received texts stand at the left of a
 * phone, its owner's own at the right, as on a real one. Colours only where the terminal has them.
 *
 * @param write takes whole lines
 * @param startedAt when the story began, ms of `performance.now()`
 */
export function showPhones(write: (line: string) => void, startedAt: number) {
  const place = (owner: Owner, index: number, line: string) => {
    const seconds = (performance.now() - startedAt) / 1000;
    const time = index === 0 ? `${seconds.toFixed(1)} s`.padStart(7) : "";
    const left = owner === "operator" ? " ".repeat(PHONE) + GAP : "";
    write(`${styleText("dim", time.padEnd(GUTTER))}${left}${line}`);
  };
  const bubble = (owner: Owner, text: string, layOut: (line: string) => string) => {
    for (const [index, line] of wrap(text, BUBBLE).entries()) place(owner, index, layOut(line));
    write("");
  };
  return {
    /** The phones' owners and numbers. */
    header(...phones: { owner: Owner; title: string; number: string }[]): void {
      const row = (cell: (phone: (typeof phones)[number]) => string) =>
        write(`${" ".repeat(GUTTER)}${phones.map(cell).join(GAP)}`.trimEnd());
      row(({ owner, title }) => styleText(["bold", COLOURS[owner]], title.padEnd(PHONE)));
      row(({ number }) => styleText("dim", spaced(number).padEnd(PHONE)));
      row(({ owner }) => styleText(COLOURS[owner], "─".repeat(PHONE)));
      write("");
    },
    /** What the next lines are about. */
    chapter(text: string): void {
      for (const line of wrap(text, 76)) write(`  ${styleText("bold", line)}`);
      write("");
    },
    /** A text that reaches this phone, or what its owner hears. */
    receives(owner: Owner, text: string): void {
      const bar = styleText(COLOURS[owner], "│");
      bubble(owner, text, (line) => `${bar} ${line}`);
    },
    /** What the owner of this phone does with it. */
    sends(owner: Owner, text: string): void {
      const bar = styleText(COLOURS[owner], "▐");
      const width = Math.max(...wrap(text, BUBBLE).map(({ length }) => length));
      const indent = " ".repeat(PHONE - width - 2);
      bubble(owner, text, (line) => `${indent}${line.padEnd(width)} ${bar}`);
    },
  };
}

export type Phones = ReturnType<typeof showPhones>;

/** Lines of at most `width` characters, broken between words; a longer word stays whole. */
function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (longer.length <= width || line === "") {
        line = longer;
      } else {
        lines.push(line);
        line = word;
      }
    }
    return [...lines, line];
  });
}

/** `+447123456789` → `+44 7123 456789`, as a phone shows it. */
function spaced(number: string): string {
  return number.replace(/^(\+44)(\d{4})(\d{6})$/, "$1 $2 $3");
}
