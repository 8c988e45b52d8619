import { describe, expect, it } from "@jest/globals";
import { prepareSmsText } from "@jobrun/messaging";
import { urgentJobText, type UrgentJobWords } from "./urgent-job.ts";

const job: UrgentJobWords = {
  number: 12,
  words: "Water is coming through the ceiling!",
  place: "5 High Street, Leeds",
  time: "right now",
  phone: "+447123456789",
};
const LONG = "The water is coming through the ceiling and it does not stop. ".repeat(40);

describe("what an operator is told about an urgent job", () => {
  it("has the customer's words, place, time and number, and how to answer", () => {
    expect(urgentJobText("en", job)).toBe(
      'URGENT job 12 from +447123456789: "Water is coming through the ceiling!" ' +
        "Where: 5 High Street, Leeds. When: right now. Reply YES 12 to take it, NO 12 to pass.",
    );
    expect(urgentJobText("fr", job)).toBe(
      'URGENT, demande 12 de +447123456789 : "Water is coming through the ceiling!" ' +
        "Où : 5 High Street, Leeds. Quand : right now. Répondez OUI 12 pour la prendre, NON 12 pour passer.",
    );
  });

  it("leaves out what is not known", () => {
    expect(urgentJobText("en", { ...job, place: null, time: null })).toBe(
      'URGENT job 12 from +447123456789: "Water is coming through the ceiling!" ' +
        "Reply YES 12 to take it, NO 12 to pass.",
    );
  });

  it("says the second time that it still waits", () => {
    expect(urgentJobText("en", job, true)).toMatch(
      /^STILL WAITING: URGENT job 12 .* NO 12 to pass\.$/,
    );
    expect(urgentJobText("fr", job, true)).toMatch(/^SANS RÉPONSE : .* NON 12 pour passer\.$/);
  });

  it("shows the customer's words as they are, whatever is in them", () => {
    const words = "Help {place} $& {number}\nnow";
    expect(urgentJobText("en", { ...job, words })).toContain('"Help {place} $& {number} now"');
  });

  it.each<[string, Partial<UrgentJobWords>]>([
    ["1,600 characters", { words: LONG.slice(0, 1600) }],
    ["1,600 characters with an emoji", { words: `🔥${LONG.slice(0, 1590)}` }],
    ["emoji alone", { words: "👨‍👩‍👧‍👦".repeat(100) }],
    ["one word without end", { words: "a".repeat(1600) }],
    ["everything long", { words: LONG, place: LONG.slice(0, 120), time: LONG.slice(0, 120) }],
    [
      "everything long, with an emoji",
      { words: `🔥${LONG}`, place: LONG.slice(0, 120), time: LONG.slice(0, 120), number: 12345 },
    ],
  ])("of %s fits into three segments with all of its instruction", (_, change) => {
    const urgent = { ...job, ...change };
    const { number } = urgent;
    for (const again of [false, true])
      for (const [locale, instruction] of [
        ["en", `Reply YES ${number} to take it, NO ${number} to pass.`],
        ["fr", `Répondez OUI ${number} pour la prendre, NON ${number} pour passer.`],
      ] as const) {
        const text = urgentJobText(locale, urgent, again);
        const sent = prepareSmsText(text);
        expect(sent.segments).toBeLessThanOrEqual(3);
        expect(sent.text).toBe(text);
        expect(text.endsWith(instruction)).toBe(true);
        expect(text).toContain(urgent.phone);
        expect(text).toContain(prepareSmsText(urgent.words).text.slice(0, 10));
      }
  });

  it("keeps as many of the customer's words as fit", () => {
    const text = urgentJobText("en", { ...job, words: LONG });
    expect(prepareSmsText(text).segments).toBe(3);
    expect(text.length).toBeGreaterThan(450);
  });
});
