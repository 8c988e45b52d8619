import { describe, expect, it } from "@jest/globals";
import { of, read } from "../testing/read-meta.ts";

const attached = (id: string, contentType: string) => [{ url: `media:${id}`, contentType }];

describe("media in a WhatsApp message", () => {
  it.each([
    ["image", { id: "1", mime_type: "image/jpeg", caption: "The leak" }, "The leak", "image/jpeg"],
    ["image", { id: "1", mime_type: "image/jpeg" }, "", "image/jpeg"],
    ["video", { id: "1", mime_type: "video/mp4", caption: "Listen" }, "Listen", "video/mp4"],
    [
      "audio",
      { id: "1", mime_type: "audio/ogg; codecs=opus", voice: true },
      "",
      "audio/ogg; codecs=opus",
    ],
    ["sticker", { id: "1", mime_type: "image/webp", animated: false }, "", "image/webp"],
    [
      "document",
      { id: "1", mime_type: "application/pdf", filename: "plan.pdf" },
      "[document: plan.pdf]",
      "application/pdf",
    ],
    [
      "document",
      { id: "1", mime_type: "application/pdf", filename: "plan.pdf", caption: "The plan" },
      "The plan",
      "application/pdf",
    ],
    ["document", { id: "1", mime_type: "application/pdf" }, "", "application/pdf"],
    ["image", { id: 1, mime_type: 5, caption: {} }, "", "5"],
    ["image", { id: "1" }, "", "application/octet-stream"],
  ])("of type %s: %j", (type, content, body, contentType) => {
    expect(read(of(type, { [type]: content }))).toMatchObject({
      type,
      body,
      media: attached("1", contentType),
    });
  });

  it("may be a voice message of the older form", () => {
    const item = of("voice", { voice: { id: "1", mime_type: "audio/ogg" } });
    expect(read(item)).toMatchObject({ type: "audio", media: attached("1", "audio/ogg") });
  });

  it("may be what an edit put in its place", () => {
    const image = { type: "image", image: { id: "1", mime_type: "image/png", caption: "Better" } };
    expect(read(of("edit", { edit: { message: image } }))).toMatchObject({
      type: "edit",
      body: "[edited: Better]",
      media: attached("1", "image/png"),
    });
  });

  it.each([
    [
      "Meta itself could not get",
      { errors: [{ code: 131052 }], image: { id: "1", caption: "The leak" } },
    ],
    [
      "Meta itself could not get, with a text for a code",
      { errors: { code: "131052" }, image: { id: "1", caption: "The leak" } },
    ],
    ["nobody named", { image: { caption: "The leak" } }],
  ])("that %s are told in words", (_name, more) => {
    const { type, body, media } = read(of("image", more));
    expect({ type, body, media }).toEqual({
      type: "image",
      body: "The leak [image that could not be received]",
      media: [],
    });
  });

  it("are fetched in spite of an error about something else", () => {
    const item = of("image", { errors: [{ code: 1 }], image: { id: "1", mime_type: "image/png" } });
    expect(read(item).media).toEqual(attached("1", "image/png"));
  });
});
