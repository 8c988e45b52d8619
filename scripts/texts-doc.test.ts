import { readFile } from "node:fs/promises";
import { expect, it } from "@jest/globals";
import { textsDocPath, textsDocument } from "./texts-doc.ts";

it("docs/texts.md is what the texts in the code say", async () => {
  expect(await readFile(textsDocPath, "utf8")).toBe(textsDocument());
});

it("with the example values no text is cut, and only those with a sign in front leave GSM-7", () => {
  const costs = [...textsDocument().matchAll(/^ {2}- (?:en|fr), (\d × .*?): (.*)$/gm)];
  expect(costs.length).toBeGreaterThan(100);
  const costly = costs.filter(([, cost = ""]) => !/^\d × GSM-7$/.test(cost));
  for (const [, cost, text] of costly) {
    expect(cost).toMatch(/^\d × UCS-2$/);
    expect(text).toContain("⚠");
  }
});
