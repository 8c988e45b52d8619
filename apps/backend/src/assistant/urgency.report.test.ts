import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { urgencyFigures, urgencyReport } from "./urgency-figures.ts";
import { isHeldOut, labelledTexts } from "./urgency-labelled.ts";

describe("the labelled set", () => {
  it("has at least 150 different texts, French among them", () => {
    expect(new Set(labelledTexts.map(({ text }) => text)).size).toBe(labelledTexts.length);
    expect(labelledTexts.length).toBeGreaterThanOrEqual(150);
    expect(labelledTexts.filter(({ text }) => /[éèàçû]/i.test(text)).length).toBeGreaterThan(20);
  });

  it("finds at least 93 % of its emergencies, and at least 95 % of what it calls one is one", () => {
    const { emergency } = urgencyFigures(labelledTexts).levels;
    expect(emergency.recall).toBeGreaterThanOrEqual(0.93);
    expect(emergency.precision).toBeGreaterThanOrEqual(0.95);
  });

  it("finds at least 85 % of the emergencies among the held-out texts, 90 % of them rightly", () => {
    const { emergency } = urgencyFigures(labelledTexts.filter((_, i) => isHeldOut(i))).levels;
    expect(emergency.recall).toBeGreaterThanOrEqual(0.85);
    expect(emergency.precision).toBeGreaterThanOrEqual(0.9);
  });

  it("has its figures in docs/urgency.md", () => {
    const docs = readFileSync(new URL("../../../../docs/urgency.md", import.meta.url), "utf8");
    expect(docs).toContain(urgencyReport());
  });
});

describe("the figures", () => {
  it("count right, found and labelled per level", () => {
    const figures = urgencyFigures([
      { text: "I smell gas", label: "emergency" },
      { text: "hello", label: "emergency" },
      { text: "burst pipe", label: "today" },
    ]);
    expect(figures.levels.emergency).toEqual({
      labelled: 2,
      found: 2,
      right: 1,
      precision: 0.5,
      recall: 0.5,
    });
    expect(figures.exact).toBeCloseTo(1 / 3);
  });
});
