import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../docs/bench", import.meta.url));

/** One row of the table. */
export interface Row {
  bench: string;
  /** What is measured, with its unit. */
  what: string;
  gateway: Spread;
  /** Measured in the same run, by the same means. */
  reference: Spread | null;
  /** What must be reached: of gateway ÷ reference, or of the gateway's median when there is no reference. */
  target: { atLeast: number } | { atMost: number } | null;
}

export interface Spread {
  min: number;
  median: number;
  max: number;
}

interface Results {
  date: string;
  node: string;
  cores: number;
  rows: Row[];
}

export function spread(values: number[]): Spread {
  return { min: quantile(values, 0), median: quantile(values, 0.5), max: quantile(values, 1) };
}

/** The smallest value that is not below the share `q` of all of them. */
export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** The table for a person, with the ratios of the last results written before, where there are any. */
export function table(rows: Row[], last: Results | null): string {
  const head = ["", "what", "gateway", "reference", "ratio", "target", "last time"];
  const cells = rows.map((row) => [
    row.bench,
    row.what,
    shown(row.gateway),
    row.reference === null ? "–" : shown(row.reference),
    row.reference === null ? "–" : figure(ratio(row)),
    verdict(row),
    before(row, last),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...cells].map((line) => line[column]?.length ?? 0)),
  );
  return [head, ...cells]
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The newest results in docs/bench, or null. */
export function lastResults(): Results | null {
  mkdirSync(FOLDER, { recursive: true });
  const newest = readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .at(-1);
  return newest === undefined
    ? null
    : (JSON.parse(readFileSync(join(FOLDER, newest), "utf8")) as Results);
}

/** Writes docs/bench/<date>.json; rows of the same day that were not measured now stay. */
export function writeResults(rows: Row[], date: Date): string {
  const day = date.toISOString().slice(0, 10);
  const last = lastResults();
  const kept = last?.date.startsWith(day)
    ? last.rows.filter((old) => !rows.some((row) => same(row, old)))
    : [];
  const results: Results = {
    date: date.toISOString(),
    node: process.version,
    cores: cpus().length,
    rows: [...kept, ...rows].toSorted((a, b) => a.bench.localeCompare(b.bench)),
  };
  const path = join(FOLDER, `${day}.json`);
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}

function ratio({ gateway, reference }: Row): number {
  return reference === null ? gateway.median : gateway.median / reference.median;
}

function verdict(row: Row): string {
  const { target } = row;
  if (target === null) return "–";
  const reached = "atLeast" in target ? ratio(row) >= target.atLeast : ratio(row) <= target.atMost;
  const words = "atLeast" in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
  return `${words} ${reached ? "✓" : "✗"}`;
}

function before(row: Row, last: Results | null): string {
  const old = last?.rows.find((candidate) => same(row, candidate));
  return old === undefined ? "–" : figure(ratio(old));
}

function same(a: Row, b: Row): boolean {
  return a.bench === b.bench && a.what === b.what;
}

function shown({ min, median, max }: Spread): string {
  return min === max ? figure(median) : `${figure(median)} (${figure(min)}–${figure(max)})`;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
