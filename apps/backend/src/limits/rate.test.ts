import { describe, expect, it } from "@jest/globals";
import { usualRates } from "./plans.ts";
import { overLimits, type Arrival, type Recent } from "./rate.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const SECOND = 1000;
const fresh: Arrival = { silent: false };

/** Texts stored so many seconds ago, oldest first. */
function storedAgo(seconds: number[], more: Partial<Recent> = {}): Recent[] {
  return seconds.map((ago, index) => ({
    at: NOW - ago * SECOND,
    position: index + 1,
    here: true,
    kind: "text",
    ...more,
  }));
}

function over(texts: Arrival[], recent: Recent[], rates = usualRates) {
  return overLimits(texts, recent, rates, NOW);
}

const scopes = (texts: Arrival[], recent: Recent[]) =>
  over(texts, recent).map((found) => found?.scope ?? null);

describe("the rate of a conversation", () => {
  it("is five in 30 seconds: the sixth is over, the one after 30 seconds is not", () => {
    expect(over([fresh], storedAgo([29, 20, 10, 5, 1]))).toEqual([
      {
        scope: "conversation",
        currentCount: 6,
        limit: 5,
        windowSeconds: 30,
        alreadyNotified: false,
      },
    ]);
    expect(over([fresh], storedAgo([30, 20, 10, 5, 1]))).toEqual([null]);
  });

  it("counts the turn's own texts before one", () => {
    const texts = Array.from({ length: 4 }, () => fresh);
    expect(scopes(texts, storedAgo([20, 10, 1]))).toEqual([
      null,
      null,
      "conversation",
      "conversation",
    ]);
  });

  it("leaves out what calls for no answer", () => {
    const silent = { silent: true };
    expect(scopes([silent, silent, fresh], storedAgo([9, 8, 7, 6]))).toEqual([null, null, null]);
  });

  it("is counted when a text came, by what came before it, however late it is answered", () => {
    const ago = [100, 99, 98, 97, 96, 95, 10];
    const texts = storedAgo(ago).map(({ at, position }) => ({
      silent: false,
      stored: { at, position },
    }));
    const expected = [null, null, null, null, null, "conversation", null];
    expect(scopes(texts, [])).toEqual(expected);
    expect(scopes(texts, storedAgo(ago))).toEqual(expected);
  });
});

describe("the rate of a sender", () => {
  const elsewhere = storedAgo(
    Array.from({ length: 20 }, (_, index) => 299 - index),
    { here: false },
  );

  it("is twenty in five minutes, wherever they were sent", () => {
    expect(over([fresh], elsewhere)).toMatchObject([
      { scope: "sender", currentCount: 21, limit: 20, windowSeconds: 300 },
    ]);
    expect(over([fresh], elsewhere.slice(1))).toEqual([null]);
  });
});

describe("who was told", () => {
  const texts = storedAgo([25, 20, 10, 5, 1]);
  const notice = (ago: number, here = true): Recent => ({
    at: NOW - ago * SECOND,
    position: 99,
    here,
    kind: "notice",
  });
  const told = (...notices: Recent[]) =>
    over([fresh], [...texts, ...notices]).map((found) => found?.alreadyNotified);

  it("is not told again in the window, and again after it", () => {
    expect(told(notice(29))).toEqual([true]);
    expect(told(notice(31))).toEqual([false]);
  });

  it("of a conversation is not who was told in another one", () => {
    expect(told(notice(1, false))).toEqual([false]);
  });
});
