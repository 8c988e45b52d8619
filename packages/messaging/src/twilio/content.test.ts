import { describe, expect, it } from "@jest/globals";
import { readSmsContent } from "./content.ts";

const FIELD = "is not a field of this kind of message";
const text = { body: "We are on our way" };

describe("what a person may send by SMS", () => {
  it("is words", () => {
    expect(readSmsContent({ type: "text", text })).toEqual({
      ok: true,
      content: { type: "text", body: "We are on our way", segments: 1 },
    });
  });

  it.each([
    ["another kind", { type: "image", text }, "type", "this channel sends text only"],
    ["no words", { text: { body: " " } }, "text.body", "must not be empty"],
    [
      "more than 3 segments",
      { text: { body: "a".repeat(460) } },
      "text.body",
      "must fit into 3 SMS segments",
    ],
    ["an answer to one message", { text, context: { message_id: "1" } }, "context", FIELD],
    ["a preview", { text: { ...text, preview_url: true } }, "text.preview_url", FIELD],
  ])("is not %s", (_name, more, field, message) => {
    expect(readSmsContent({ type: "text", ...more })).toEqual({
      ok: false,
      problems: [{ field, message }],
    });
  });

  it("has every field named that it cannot have", () => {
    const result = readSmsContent({ type: "text", text, context: {}, image: {} });
    expect(result.ok ? [] : result.problems.map(({ field }) => field)).toEqual([
      "context",
      "image",
    ]);
  });
});
