import { describe, expect, it } from "@jest/globals";
import { ANSWER_TOKENS, plans, UNLIMITED, usualRates } from "./plans.ts";
import { quotaOf, type QuotaView } from "./quota.ts";
import { termsOf } from "./terms.ts";
import { isNearlyUsedUp } from "./usage.ts";

const terms = { monthlyMessages: 10, dailyTokens: 1_000, ...usualRates };

function view(changes: Partial<QuotaView>): QuotaView {
  const usage = { messages: 0, dayTokens: 0 };
  return { day: "2026-11-21", blockedFor: null, usage, toldOn: null, ...changes };
}

describe("a quota", () => {
  it("is used up at its limit, not one before", () => {
    const after = (messages: number) => quotaOf(view({ usage: { messages, dayTokens: 0 } }), terms);
    expect(after(9)).toEqual({ kind: "allowed", remaining: 1 });
    expect(after(10)).toMatchObject({
      kind: "exceeded",
      reason: "monthly_messages",
      period: "2026-11",
      currentUsage: 10,
      limit: 10,
    });
  });

  it("of tokens is of the day", () => {
    expect(quotaOf(view({ usage: { messages: 0, dayTokens: 1_000 } }), terms)).toMatchObject({
      kind: "exceeded",
      reason: "daily_tokens",
      period: "2026-11-21",
    });
  });

  it("lets as many think as both the month and the day's tokens are for", () => {
    const dailyTokens = 10 * ANSWER_TOKENS;
    const remaining = (messages: number, dayTokens: number) =>
      quotaOf(view({ usage: { messages, dayTokens } }), { ...terms, dailyTokens });
    expect(remaining(3, 0)).toEqual({ kind: "allowed", remaining: 7 });
    expect(remaining(3, 8 * ANSWER_TOKENS - 1)).toEqual({ kind: "allowed", remaining: 3 });
    expect(remaining(3, dailyTokens - 1)).toEqual({ kind: "allowed", remaining: 1 });
  });

  it("without limit is never used up", () => {
    const unlimited = termsOf("enterprise", {});
    const usage = { messages: 1_000_000, dayTokens: 1_000_000_000 };
    expect(quotaOf(view({ usage }), unlimited)).toEqual({ kind: "allowed", remaining: Infinity });
  });

  it("of nothing allows nothing", () => {
    expect(quotaOf(view({}), { ...terms, monthlyMessages: 0 })).toMatchObject({ kind: "exceeded" });
  });

  it("known to be used up is told from the period alone", () => {
    const known = (blockedFor: string) => quotaOf(view({ blockedFor, usage: null }), terms);
    expect(known("2026-11")).toMatchObject({ kind: "blocked", reason: "monthly_messages" });
    expect(known("2026-11-21")).toMatchObject({ kind: "blocked", reason: "daily_tokens" });
  });
});

describe("the terms of a tenant", () => {
  it("are the plan's, apart from what is the tenant's own", () => {
    expect(termsOf("pro", {})).toEqual({ ...plans.pro, ...usualRates });
    const own = { monthlyMessages: 7, senderRate: { max: 1, windowSeconds: 2 } };
    expect(termsOf("pro", { ...own, conversationRate: null })).toEqual({
      ...plans.pro,
      ...usualRates,
      ...own,
    });
    expect(termsOf("starter", { monthlyMessages: UNLIMITED }).monthlyMessages).toBe(UNLIMITED);
  });

  it("that cannot be read are an error", () => {
    expect(() => termsOf("gold", {})).toThrow("starter");
    expect(() => termsOf("pro", { monthlyMessages: "many" })).toThrow("monthlyMessages");
    const senderRate = { max: 0, windowSeconds: 1 };
    expect(() => termsOf("pro", { senderRate })).toThrow("senderRate");
    expect(() => termsOf("pro", { maxMessages: 7 })).toThrow("maxMessages");
    expect(() => termsOf("pro", [])).toThrow("array");
  });
});

it("a month is nearly used up once: by the answer that reaches 80 %", () => {
  const answers = Array.from({ length: 10 }, (_, index) => index + 1);
  expect(answers.filter((count) => isNearlyUsedUp(10, count))).toEqual([8]);
  expect(answers.filter((count) => isNearlyUsedUp(7, count))).toEqual([6]);
  expect(isNearlyUsedUp(null, 8)).toBe(false);
});
