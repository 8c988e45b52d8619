import { describe, expect, it } from "@jest/globals";
import { pairRate } from "./pair-rate.ts";

const SENDER = "106540352242922";
const ANNA = "+447700900123";
const BEN = "+447700900124";

function rated() {
  let now = 1_000_000;
  const pairs = pairRate(() => now);
  return {
    pass: (ms: number) => (now += ms),
    /** How many of so many messages may go now. */
    take: (count: number, to = ANNA, from = SENDER) =>
      Array.from({ length: count }, () => pairs.take(from, to)).filter(Boolean).length,
  };
}

describe("the pair rate", () => {
  it("lets 45 messages go at once, and one more each 6 s", () => {
    const { pass, take } = rated();
    expect(take(50)).toBe(45);
    pass(5999);
    expect(take(1)).toBe(0);
    pass(1);
    expect(take(2)).toBe(1);
    pass(60_000);
    expect(take(50)).toBe(10);
  });

  it("gives the whole burst back after as long a silence, and no more than that", () => {
    const { pass, take } = rated();
    take(45);
    pass(45 * 6000);
    expect(take(50)).toBe(45);
    pass(24 * 60 * 60 * 1000);
    expect(take(50)).toBe(45);
  });

  it("is kept per sender and recipient", () => {
    const { take } = rated();
    expect(take(50)).toBe(45);
    expect(take(50, BEN)).toBe(45);
    expect(take(50, ANNA, "106540352242923")).toBe(45);
  });

  it("holds a bounded number of pairs: the one used longest ago is let off first", () => {
    const { take } = rated();
    take(44);
    take(45, BEN);
    take(1);
    for (let other = 0; other < 100_000 - 2; other += 1) take(1, `other ${other}`);
    expect(take(1, BEN)).toBe(0);
    expect(take(1, "one more")).toBe(1);
    expect(take(1)).toBe(0);
    expect(take(1, BEN)).toBe(1);
  });
});
