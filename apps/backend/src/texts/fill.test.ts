import { describe, expect, it } from "@jest/globals";
import { customerTexts } from "./customer-texts.ts";
import { fill, type Locale } from "./fill.ts";
import { onboardingTexts } from "./onboarding-texts.ts";
import { operatorTexts } from "./operator-texts.ts";

const locale: Locale = "en";

describe("fill", () => {
  it("puts every value in, each as often as it is named", () => {
    expect(fill("{a} and {b} and {a}", { a: "x", b: 12 })).toBe("x and 12 and x");
  });

  it("takes a value as it is, also when it looks like a placeholder or a pattern", () => {
    const business = "M\u00fcller & {phone} $& <24h>";
    expect(fill(customerTexts.missedCall[locale], { business })).toContain(business);
  });

  it("does not compile with a value missing", () => {
    // @ts-expect-error -- {phone} would be left out
    expect(() => fill(customerTexts.deflection[locale], {})).toThrow("phone");
  });
});

it("a text names the same values in every language", () => {
  const all: [string, Record<Locale, string>][] = [
    customerTexts,
    operatorTexts,
    onboardingTexts,
  ].flatMap((texts) => Object.entries(texts));
  const names = (text: string) => [...new Set(text.match(/\{\w+\}/g))].toSorted();
  for (const [key, { en, fr }] of all) expect([key, names(fr)]).toEqual([key, names(en)]);
});
