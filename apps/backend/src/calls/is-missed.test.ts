import { describe, expect, it } from "@jest/globals";
import { isMissed, isOver, type CallHandling } from "./is-missed.ts";
import type { Call } from "./parse-call.ts";

type Ends = [
  status: Call["status"],
  dialStatus: Call["dialStatus"],
  notice: boolean,
  dial: boolean,
];

const table: Ends[] = [
  ["queued", null, false, false],
  ["initiated", null, false, false],
  ["ringing", null, false, false],
  ["in-progress", null, false, false],
  [null, null, false, false],
  ["no-answer", null, true, true],
  ["busy", null, true, true],
  ["failed", null, true, true],
  ["canceled", null, true, true],
  // Answered by the notice, or by whom the dial result tells.
  ["completed", null, true, false],
  ["completed", "completed", false, false],
  ["completed", "answered", false, false],
  ["completed", "no-answer", true, true],
  ["completed", "busy", true, true],
  ["completed", "failed", true, true],
  ["completed", "canceled", true, true],
  // The caller is still on the line when the operator's leg has ended.
  ["in-progress", "completed", false, false],
  ["in-progress", "answered", false, false],
  ["in-progress", "no-answer", true, true],
  ["in-progress", "busy", true, true],
  ["in-progress", "failed", true, true],
  ["in-progress", "canceled", true, true],
  // The caller hung up.
  ["no-answer", "canceled", true, true],
  ["canceled", "completed", false, false],
];

describe.each(table)(
  "a call that is %s, the operator's leg %s",
  (status, dialStatus, notice, dial) => {
    it.each<[CallHandling, boolean]>([
      ["NOTICE", notice],
      ["DIAL", dial],
    ])("of a number with %s is missed: %s", (callHandling, expected) => {
      expect(isMissed({ status, dialStatus }, callHandling, false)).toBe(expected);
    });
  },
);

it("a completed call whose caller heard our notice is missed, whatever the number's setting is now", () => {
  const call = { status: "completed", dialStatus: null } as const;
  expect(isMissed(call, "DIAL", true)).toBe(true);
  expect(isMissed({ ...call, dialStatus: "completed" }, "DIAL", true)).toBe(false);
});

it("a call is over when it or the operator's leg has ended", () => {
  const over = table.filter(([status, dialStatus]) => isOver({ status, dialStatus }));
  const goingOn = table.filter(([status, dialStatus]) => !isOver({ status, dialStatus }));
  expect(goingOn.map(([status]) => status)).toEqual([
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    null,
  ]);
  expect(over.length + goingOn.length).toBe(table.length);
});
