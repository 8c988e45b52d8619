/** One thing with a name: a word about it, or what changes about it. */
export type Entry =
  | { name: string; note: string }
  | { name: string; rows: { label: string; before: string; after: string }[] };

type Cells = [name: string, label: string, before: string, after: string];

const GAP = "  ";
/** Narrower, values are cut into pieces nobody can read: rather lines that are too long. */
const NARROWEST = 20;

/**
 * Lines with aligned columns; entries with a note take one line. What does not fit into its column
 * goes on below, broken where a URL can be.
 *
 * @param heads of the four columns, shown when something changes
 * @param width of the terminal, in columns
 */
export function table(entries: Entry[], heads: Cells, width: number): string[] {
  const rows = entries.flatMap(cellsOf);
  const widths = widthsOf(
    rows.length === 0 ? [] : [heads, ...rows],
    entries.map(({ name }) => name.length),
    width,
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd();
  const linesOf = (row: Cells): string[] => {
    const columns = row.map((cell, column) => wrap(cell, widths[column] ?? 0));
    const height = Math.max(...columns.map((cell) => cell.length));
    return Array.from({ length: height }, (_, index) =>
      line(columns.map((cell) => cell[index] ?? "")),
    );
  };
  return [
    ...(rows.length === 0 ? [] : [line(heads), line(widths.map((count) => "─".repeat(count)))]),
    ...entries.flatMap((entry) =>
      "note" in entry ? [line([entry.name, entry.note])] : cellsOf(entry).flatMap(linesOf),
    ),
  ];
}

/** An entry's name stands on its first line only. */
function cellsOf(entry: Entry): Cells[] {
  if ("note" in entry) return [];
  return entry.rows.map(({ label, before, after }, index) => [
    index === 0 ? entry.name : "",
    label,
    before,
    after,
  ]);
}

function widthsOf(rows: Cells[], names: number[], width: number): number[] {
  const widest = (column: number) =>
    Math.max(0, ...rows.map((cells) => cells[column]?.length ?? 0));
  const name = Math.max(widest(0), ...names);
  const label = widest(1);
  return [name, label, ...share(width - name - label - 3 * GAP.length, widest(2), widest(3))];
}

/** Two columns that want more than there is: one that wants less than half gets it, the other the rest. */
function share(room: number, first: number, second: number): [number, number] {
  if (first + second <= room) return [first, second];
  const half = Math.max(NARROWEST, Math.floor(room / 2));
  if (first <= half) return [first, Math.max(NARROWEST, room - first)];
  if (second <= half) return [Math.max(NARROWEST, room - second), second];
  return [half, half];
}

/** Breaks after a space and before a path, a query or a fragment; elsewhere only what is longer than a line. */
function wrap(text: string, width: number): string[] {
  const pieces = text
    .split(/(?<= )|(?<=[^:/])(?=\/)|(?=[?#&])/)
    .flatMap((piece) => piece.match(new RegExp(`.{1,${Math.max(1, width)}}`, "gu")) ?? []);
  return pieces.reduce<string[]>(
    (lines, piece) => {
      const last = lines.at(-1) ?? "";
      return (last + piece).trimEnd().length <= width
        ? [...lines.slice(0, -1), last + piece]
        : [...lines, piece];
    },
    [""],
  );
}
