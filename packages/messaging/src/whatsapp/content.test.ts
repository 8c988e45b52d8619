import { describe, expect, it } from "@jest/globals";
import { button, CONTENTS, long, TEMPLATE, withFlow } from "../testing/whatsapp-contents.ts";
import { readContent } from "./content.ts";

function read(type: string, value: unknown, more: object = {}) {
  return readContent({ type, [type]: value, ...more });
}

describe("a message a person may send", () => {
  it.each(CONTENTS)("may be of the kind %s %j: %j", (type, value, body) => {
    expect(read(type, value)).toEqual({
      ok: true,
      content: { type, body, segments: 1, payload: { [type]: value } },
    });
  });

  it("may be plain words, which need no payload", () => {
    expect(read("text", { body: "Hello\n🔧" })).toEqual({
      ok: true,
      content: { type: "text", body: "Hello\n🔧", segments: 1 },
    });
    expect(read("text", { body: "Hello", preview_url: false })).toEqual(
      read("text", { body: "Hello" }),
    );
  });

  it("may be words that show what they link to", () => {
    const text = { body: "https://example.com", preview_url: true };
    expect(read("text", text)).toMatchObject({ content: { payload: { text } } });
  });

  it("may mark a message as read, with or without the typing indicator", () => {
    expect(read("mark_read", { message_id: "wamid.A=" })).toEqual({
      ok: true,
      content: {
        type: "mark_read",
        body: "[read]",
        segments: 1,
        payload: { status: "read", message_id: "wamid.A=" },
      },
    });
    expect(read("mark_read", { message_id: "wamid.A=", typing: true })).toMatchObject({
      content: {
        body: "[read, typing]",
        payload: { typing_indicator: { type: "text" } },
      },
    });
  });

  const answers = CONTENTS.filter(([type]) => type !== "reaction");
  it.each([...answers, ["text", { body: "Hi" }, "Hi"] as (typeof CONTENTS)[number]])(
    "may be an answer to one message: %s %j",
    (type, value) => {
      const context = { message_id: "wamid.A=" };
      expect(read(type, value, { context })).toMatchObject({
        ok: true,
        content: { payload: { [type]: value, context } },
      });
    },
  );

  it.each([
    ["reaction", { message_id: "wamid.A=", emoji: "👍" }],
    ["mark_read", { message_id: "wamid.A=" }],
  ])("of the kind %s is no answer to a message", (type, value) => {
    expect(read(type, value, { context: { message_id: "wamid.A=" } })).toEqual({
      ok: false,
      problems: [{ field: "context", message: "is not a field of this kind of message" }],
    });
  });

  it("loses what cannot be sent or stored, wherever it is", () => {
    const dirty = {
      body: { text: "a\0b\uD83D" },
      type: "button",
      action: { buttons: [button("y\0")] },
    };
    expect(read("interactive", dirty)).toMatchObject({
      content: {
        body: "ab\n[Yes]",
        payload: { interactive: { body: { text: "ab" }, action: { buttons: [button("y")] } } },
      },
    });
    const payload = (data: object) => ({ flow_action_payload: { screen: "A", data } });
    const flow = withFlow(payload({ "x\0": [{ "y\0": "\0z" }] }));
    expect(read("interactive", flow)).toMatchObject({
      content: { payload: { interactive: withFlow(payload({ x: [{ y: "z" }] })) } },
    });
  });
});

describe("a message nobody can send", () => {
  it.each(["", "voice", "constructor", "unknown", "system"])("is of the kind %j", (type) => {
    expect(read(type, {})).toEqual({
      ok: false,
      problems: [{ field: "type", message: expect.stringContaining("one of text, image") }],
    });
  });

  it("lacks what its kind names, or has something else", () => {
    const result = readContent({ type: "text", image: { id: "1" }, to: "+447700900123" });
    expect(result.ok ? [] : result.problems.map(({ field }) => field)).toEqual([
      "text",
      "image",
      "to",
    ]);
  });

  it("answers to nothing that could be a message", () => {
    const context = { message_id: "a b" };
    expect(read("text", { body: "a" }, { context })).toEqual({
      ok: false,
      problems: [{ field: "context.message_id", message: "must be the id of a message" }],
    });
  });

  it("is nested deeper than any of Meta's, however deep", () => {
    let nested: unknown = "a";
    for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];
    const template = { ...TEMPLATE, components: [{ type: "body", nested }] };
    expect(read("template", template)).toEqual({
      ok: false,
      problems: [{ field: "template", message: expect.stringContaining("nested") }],
    });
  });

  it("has all its problems told at once", () => {
    const message = {
      type: "button",
      body: { text: "" },
      action: { buttons: [button("1", long(21)), { ...button("2"), colour: "red" }] },
    };
    const result = read("interactive", message);
    expect(result.ok ? [] : result.problems.map(({ field }) => field)).toEqual([
      "interactive.body.text",
      "interactive.action.buttons.0.reply.title",
      "interactive.action.buttons.1.colour",
    ]);
  });
});
