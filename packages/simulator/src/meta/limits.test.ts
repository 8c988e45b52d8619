import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startSimulator } from "../index.ts";
import type { Simulator } from "../index.ts";
import {
  button,
  buttons,
  contact,
  cta,
  flow,
  image,
  LINK,
  list,
  parameter,
  PERSON,
  post,
  rows,
  send,
  template,
  x,
} from "../testing/meta-messages.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});

afterAll(async () => {
  await simulator.close();
});

describe("takes", () => {
  it.each<[string, string, unknown, object?]>([
    ["a text of 4096 characters", "text", { body: x(4096), preview_url: true }],
    ["an answer to a message", "text", { body: "Hi" }, { context: { message_id: "wamid.1" } }],
    ["data of 512 characters", "text", { body: "Hi" }, { biz_opaque_callback_data: x(512) }],
    ["a number without +", "text", { body: "Hi" }, { to: "33612345678" }],
    ["a number with separators", "text", { body: "Hi" }, { to: "+33 6 12-34.56 (78)" }],
    ["a user id", "text", { body: "Hi" }, { to: undefined, recipient: "US.13491208655302741918" }],
    ["a group", "text", { body: "Hi" }, { to: "Y2FwaV9ncm91", recipient_type: "group" }],
    ["a caption of 1024 characters", "image", { link: LINK, caption: x(1024) }],
    ["a video by id", "video", { id: "1013859600285441" }],
    ["a voice message", "audio", { id: "1013859600285441", voice: true }],
    ["a document with its name", "document", { link: LINK, caption: "Bill", filename: "bill.pdf" }],
    ["a sticker", "sticker", { id: "798882015472548" }],
    ["a location", "location", { latitude: 37.44, longitude: "-122.16", name: "Office" }],
    [
      "a contact",
      "contacts",
      [contact({ formatted_name: "Plumbing Ltd", first_name: "Plumbing" })],
    ],
    ["a reaction", "reaction", { message_id: "wamid.1", emoji: "👍🏽" }],
    ["the removal of a reaction", "reaction", { message_id: "wamid.1", emoji: "" }],
    ["buttons", "interactive", buttons(button(x(256), x(20)), button("b", "B"), button("c", "C"))],
    [
      "a list of 10 rows",
      "interactive",
      list({ title: x(24), rows: rows(5) }, { title: "B", rows: rows(5, 5) }),
    ],
    ["a link", "interactive", cta({ display_text: x(20), url: LINK })],
    ["a flow", "interactive", flow({ flow_id: "1", flow_cta: x(30), flow_action: "navigate" })],
    [
      "a request for a location",
      "interactive",
      {
        type: "location_request_message",
        body: { text: "Where?" },
        action: { name: "send_location" },
      },
    ],
    [
      "a template",
      "template",
      template(
        { type: "header", parameters: [image({})] },
        { type: "body", parameters: [parameter("Sam")] },
        {
          type: "button",
          sub_type: "quick_reply",
          index: "0",
          parameters: [{ type: "payload", payload: "yes" }],
        },
      ),
    ],
  ])("%s", async (...[, type, content, more]) => {
    const { status, answer } = await send(simulator, type, content, more);
    expect(answer).toMatchObject({
      messaging_product: "whatsapp",
      messages: [{ id: expect.stringMatching(/^wamid\./), message_status: "accepted" }],
    });
    expect(status).toBe(200);
  });

  it("a text that does not name its type", async () => {
    const { status } = await post(simulator, {
      messaging_product: "whatsapp",
      to: PERSON,
      text: { body: "x" },
    });
    expect(status).toBe(200);
  });
});

describe("refuses", () => {
  it.each<[string, number, string, string, unknown, object?]>([
    ["a text of 4097", 100, "at most 4096", "text", { body: x(4097) }],
    ["an empty text", 131009, "text.body", "text", { body: "" }],
    ["no text", 131008, "text.body", "text", {}],
    ["no content", 131008, "text", "text", undefined],
    ["an unknown key", 100, '"colour"', "text", { body: "Hi", colour: "red" }],
    [
      "another type's content too",
      100,
      '"image"',
      "text",
      { body: "Hi" },
      { image: { link: LINK } },
    ],
    ["an unknown type", 131051, "poll", "poll", {}],
    [
      "no product",
      100,
      "messaging_product",
      "text",
      { body: "x" },
      { messaging_product: undefined },
    ],
    [
      "another product",
      131009,
      "messaging_product",
      "text",
      { body: "x" },
      { messaging_product: "x" },
    ],
    ["no recipient", 100, "to", "text", { body: "x" }, { to: undefined }],
    ["what is no number", 131009, "to", "text", { body: "x" }, { to: "US.134912" }],
    ["a short number", 131009, "to", "text", { body: "x" }, { to: "+33612" }],
    [
      "what is no user id",
      131009,
      "recipient",
      "text",
      { body: "x" },
      { to: undefined, recipient: "+336" },
    ],
    ["its own number", 131021, "sender", "text", { body: "x" }, { to: "+447700900888" }],
    [
      "data of 513",
      131009,
      "biz_opaque",
      "text",
      { body: "x" },
      { biz_opaque_callback_data: x(513) },
    ],
    ["a caption of 1025", 131009, "image.caption", "image", { link: LINK, caption: x(1025) }],
    ["an id and a link", 131009, "exactly one", "image", { link: LINK, id: "1" }],
    ["neither id nor link", 131009, "exactly one", "video", {}],
    ["a link that is none", 131009, "document.link", "document", { link: "ftp://example.com/a" }],
    ["a caption on audio", 100, '"caption"', "audio", { id: "1", caption: "Hi" }],
    ["a caption on a sticker", 100, '"caption"', "sticker", { id: "1", caption: "Hi" }],
    ["a filename on an image", 100, '"filename"', "image", { id: "1", filename: "a.png" }],
    ["a place off the earth", 131009, "latitude", "location", { latitude: 91, longitude: 0 }],
    ["half a place", 131008, "longitude", "location", { latitude: 1 }],
    ["no contacts", 131009, "contacts", "contacts", []],
    ["a contact of one name", 131009, "0.name", "contacts", [contact({ formatted_name: "A" })]],
    [
      "a contact without a name",
      131008,
      "formatted_name",
      "contacts",
      [contact({ first_name: "A" })],
    ],
    [
      "a reaction of two emoji",
      131009,
      "emoji",
      "reaction",
      { message_id: "wamid.1", emoji: "👍👍" },
    ],
    ["a reaction in words", 131009, "emoji", "reaction", { message_id: "wamid.1", emoji: "ok" }],
    ["a reaction to nothing", 131008, "message_id", "reaction", { emoji: "👍" }],
    [
      "a reaction as an answer",
      131009,
      "context",
      "reaction",
      { message_id: "wamid.1", emoji: "👍" },
      { context: { message_id: "wamid.1" } },
    ],
  ])("%s with %i", async (...[, code, details, type, content, more]) => {
    const { status, answer } = await send(simulator, type, content, more);
    expect(answer.error).toMatchObject({
      code,
      type: "OAuthException",
      error_data: { messaging_product: "whatsapp", details: expect.stringContaining(details) },
      fbtrace_id: expect.any(String),
    });
    expect(status).toBe(400);
  });

  it("and sends nothing", async () => {
    const before = simulator.whatsApp.sent().length;
    await send(simulator, "text", { body: x(4097) });
    expect(simulator.whatsApp.sent()).toHaveLength(before);
  });
});

describe("marking as read", () => {
  const read = (more: object) =>
    post(simulator, { messaging_product: "whatsapp", status: "read", ...more });

  it("is confirmed and recorded, with and without the typing indicator", async () => {
    const first = await read({ message_id: "wamid.A" });
    const typing_indicator = { type: "text" };
    await read({ message_id: "wamid.B", typing_indicator });
    expect(first).toEqual({ status: 200, answer: { success: true } });
    expect(simulator.whatsApp.reads()).toMatchObject([
      { wamid: "wamid.A", typing: false },
      { wamid: "wamid.B", typing: true },
    ]);
  });

  it.each([
    [{}, 100],
    [{ message_id: "wamid.A", typing_indicator: { type: "song" } }, 131009],
    [{ message_id: "wamid.A", status: "unread" }, 131009],
  ])("is refused for %j", async (more, code) => {
    expect((await read(more)).answer.error?.code).toBe(code);
  });
});
