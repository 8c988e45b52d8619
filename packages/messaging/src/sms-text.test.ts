import { describe, expect, it } from "@jest/globals";
import { prepareSmsText } from "./index.ts";

describe("a text prepared for SMS", () => {
  it.each([
    ["", 0, "gsm7"],
    ["a".repeat(160), 1, "gsm7"],
    ["a".repeat(161), 2, "gsm7"],
    ["a".repeat(306), 2, "gsm7"],
    ["a".repeat(307), 3, "gsm7"],
    ["a".repeat(459), 3, "gsm7"],
    ["é".repeat(160), 1, "gsm7"],
    ["€".repeat(80), 1, "gsm7"],
    ["€".repeat(81), 2, "gsm7"],
    // An extension character is not split: 76 of them fill a part of 153.
    ["€".repeat(152), 2, "gsm7"],
    ["€".repeat(153), 3, "gsm7"],
    ["ê".repeat(70), 1, "ucs2"],
    ["ê".repeat(71), 2, "ucs2"],
    ["ê".repeat(135), 3, "ucs2"],
    ["ê".repeat(201), 3, "ucs2"],
    ["🔧".repeat(35), 1, "ucs2"],
    ["🔧".repeat(36), 2, "ucs2"],
    ["🔧".repeat(99), 3, "ucs2"],
  ] as const)(
    "%# keeps what fits and counts %j as %i segments of %s",
    (text, segments, encoding) => {
      expect(prepareSmsText(text)).toEqual({ text, segments, encoding });
    },
  );

  it.each([
    ["‘We’re’ “on” our way…", "'We're' \"on\" our way..."],
    ["9–5 — today", "9-5 - today"],
    ["« oui »", '" oui "'],
    ["10\u00A0am\u202Fsharp\tnow", "10 am sharp now"],
    ["soft\u00ADhyphen\u200B\uFEFF", "softhyphen"],
    ["cafe\u0301", "café"],
    ["bell\u0007 escape\u001B null\0 c1\u0085", "bell escape null c1"],
    ["one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"],
    ["half \uD83D of an emoji \uDD27", "half  of an emoji "],
  ])("%j is written %j in GSM-7", (text, expected) => {
    expect(prepareSmsText(text)).toEqual({ text: expected, segments: 1, encoding: "gsm7" });
  });

  it("leaves alone what GSM-7 cannot say", () => {
    const text = "⚠️ Ce service a atteint sa limite 👩‍🔧";
    expect(prepareSmsText(text)).toEqual({ text, segments: 1, encoding: "ucs2" });
  });

  it("cuts a long text to three segments and says so", () => {
    const { text, segments } = prepareSmsText("a".repeat(10_000));
    expect(text).toBe(`${"a".repeat(456)}...`);
    expect(segments).toBe(3);
  });

  it("leaves no blank before the dots", () => {
    expect(prepareSmsText(`${"a".repeat(455)} ${"b".repeat(100)}`).text).toBe(
      `${"a".repeat(455)}...`,
    );
  });

  it.each(["👩‍🔧", "🇬🇧", "e\u0302\u0323", "🔧"])("never cuts %s in two", (character) => {
    for (let offset = 0; offset < 8; offset++) {
      const { text, segments } = prepareSmsText("a".repeat(offset) + character.repeat(200));
      const kept = text.slice(offset, -3);
      expect(segments).toBe(3);
      expect(kept.replaceAll(character.normalize("NFC"), "")).toBe("");
    }
  });

  it("fits again in GSM-7 when what did not is cut off", () => {
    const { segments, encoding } = prepareSmsText(`${"a".repeat(500)}🔧`);
    expect({ segments, encoding }).toEqual({ segments: 3, encoding: "gsm7" });
  });

  it("changes nothing when applied twice", () => {
    const once = prepareSmsText(`“${"ü".repeat(600)}”`);
    expect(prepareSmsText(once.text)).toEqual(once);
  });
});
