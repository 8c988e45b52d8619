import { describe, expect, it } from "@jest/globals";
import { fitText } from "./fit-text.ts";

const fitted = (words: string) => fitText(words).text;

describe("fitting words for WhatsApp", () => {
  it("changes nothing that can be sent", () => {
    const words = "“Müller” – 24h 🔧👨‍👩‍👧\n\ttomorrow…";
    expect(fitText(words)).toEqual({ text: words, segments: 1 });
  });

  it("leaves out control characters and lone surrogates", () => {
    expect(fitted("a\0b\u0007c\u009Fd\uD83De\r\nf\rg")).toBe("abcde\nf\ng");
  });

  it("lets 4096 characters through and cuts one more, ending in …", () => {
    expect(fitted("a".repeat(4096))).toBe("a".repeat(4096));
    expect(fitted("a".repeat(4097))).toBe(`${"a".repeat(4095)}…`);
  });

  it("is long after what is left out, not before", () => {
    expect(fitted(`\0${"a".repeat(4096)}`)).toBe("a".repeat(4096));
  });

  it("never cuts through what a reader sees as one character", () => {
    const family = "👨‍👩‍👧";
    const text = fitted(`${"a".repeat(4090)}${family}${family}`);
    expect(text).toBe(`${"a".repeat(4090)}…`);
  });

  it("leaves no blank before the dots", () => {
    expect(fitted(`${"a".repeat(4000)}${" ".repeat(200)}b`)).toBe(`${"a".repeat(4000)}…`);
  });
});
