import { expect, it } from "@jest/globals";
import { table, type Entry } from "./table.ts";

const LONG = "POST https://old.example.com/api/twilio/sms?tenant=12&mode=legacy#rc=3";
const entries: Entry[] = [
  { name: "first", note: "a note may be longer than its column without moving the others" },
  {
    name: "second",
    rows: [
      { label: "SMS", before: LONG, after: "POST /sms" },
      { label: "voice", before: "none", after: "POST /voice" },
    ],
  },
];
const heads = ["name", "what", "before", "after"] as const;

it("a long URL goes on below, broken where its parts begin, and the columns stay aligned", () => {
  expect(table(entries, [...heads], 60)).toEqual([
    "name    what   before                            after",
    "──────  ─────  ────────────────────────────────  ───────────",
    "first   a note may be longer than its column without moving the others",
    "second  SMS    POST https://old.example.com/api  POST /sms",
    "               /twilio/sms?tenant=12",
    "               &mode=legacy#rc=3",
    "        voice  none                              POST /voice",
  ]);
});

it("what is longer than its column and has no parts is cut, and nothing of it is lost", () => {
  const before = "x".repeat(50);
  const [, , ...lines] = table(
    [{ name: "n", rows: [{ label: "l", before, after: "y" }] }],
    [...heads],
    45,
  );
  expect(lines.join("").replace(/[^x]/g, "")).toBe(before);
  expect(lines.every((line) => line.length <= 45)).toBe(true);
});

it("without a change there are no columns to head", () => {
  expect(table([{ name: "first", note: "ok" }], [...heads], 80)).toEqual(["first  ok"]);
});
