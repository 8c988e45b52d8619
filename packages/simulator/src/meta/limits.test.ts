import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startSimulator } from "../index.ts";
import type { Simulator } from "../index.ts";

const PERSON = "+33612345678";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});

afterAll(async () => {
  await simulator.close();
});

interface Answer {
  error?: { code: number; error_data?: { details: string } };
}

async function post(body: unknown) {
  const { apiUrl, phoneNumberId, accessToken } = simulator.whatsApp;
  const response = await fetch(`${apiUrl}/v24.0/${phoneNumberId}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}

const send = (type: string, content: unknown, more: object = {}) =>
  post({ messaging_product: "whatsapp", to: PERSON, type, [type]: content, ...more });

const x = (length: number) => "x".repeat(length);
const button = (id: string, title: string) => ({ type: "reply", reply: { id, title } });
const buttons = (...all: unknown[]) => ({
  type: "button",
  body: { text: "Which?" },
  action: { buttons: all },
});
const rows = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ id: `r${from + index}`, title: "Row" }));
const list = (...sections: unknown[]) => ({
  type: "list",
  body: { text: "Pick" },
  action: { button: "Open", sections },
});
const flow = (parameters: object) => ({
  type: "flow",
  body: { text: "Fill in" },
  action: { name: "flow", parameters: { flow_message_version: "3", ...parameters } },
});
const cta = (parameters: object) => ({
  type: "cta_url",
  body: { text: "See" },
  action: { name: "cta_url", parameters },
});
const LINK = "https://example.com/a.png";
const image = (more: object) => ({ type: "image", image: { link: LINK }, ...more });
const parameter = (text: string) => ({ type: "text", text });
const template = (...components: unknown[]) => ({
  name: "come_back",
  language: { code: "en_GB" },
  components,
});
const contact = (name: object) => ({ name, phones: [{ phone: "+44 7700 900123", type: "CELL" }] });

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
    const { status, answer } = await send(type, content, more);
    expect(answer).toMatchObject({
      messaging_product: "whatsapp",
      messages: [{ id: expect.stringMatching(/^wamid\./), message_status: "accepted" }],
    });
    expect(status).toBe(200);
  });

  it("a text that does not name its type", async () => {
    const { status } = await post({
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
    const { status, answer } = await send(type, content, more);
    expect(answer.error).toMatchObject({
      code,
      type: "OAuthException",
      error_data: { messaging_product: "whatsapp", details: expect.stringContaining(details) },
      fbtrace_id: expect.any(String),
    });
    expect(status).toBe(400);
  });

  const four = ["a", "b", "c", "d"].map((id) => button(id, id));
  const body = { text: x(1025) };
  it.each<[string, string, unknown]>([
    ["no buttons", "action.buttons", buttons()],
    ["4 buttons", "action.buttons", buttons(...four)],
    ["a button title of 21", "buttons.0.reply.title", buttons(button("a", x(21)))],
    ["a button id of 257", "buttons.0.reply.id", buttons(button(x(257), "A"))],
    ["a button id with a space at its end", "buttons.0.reply.id", buttons(button("a ", "A"))],
    ["equal button ids", "ids must differ", buttons(button("a", "A"), button("a", "B"))],
    ["equal button titles", "titles must differ", buttons(button("a", "A"), button("b", "A"))],
    ["a body of 1025", "interactive.body.text", { ...buttons(button("a", "A")), body }],
    ["a footer of 61", "footer.text", { ...buttons(button("a", "A")), footer: { text: x(61) } }],
    [
      "a header of 61",
      "header.text",
      { ...buttons(button("a", "A")), header: { type: "text", text: x(61) } },
    ],
    ["11 rows", "10 rows", list({ title: "A", rows: rows(6) }, { title: "B", rows: rows(5, 6) })],
    ["equal row ids", "ids must differ", list({ rows: [...rows(1), ...rows(1)] })],
    ["sections without titles", "title", list({ rows: rows(1) }, { rows: rows(1, 1) })],
    ["a section title of 25", "sections.0.title", list({ title: x(25), rows: rows(1) })],
    ["a row title of 25", "rows.0.title", list({ rows: [{ id: "a", title: x(25) }] })],
    ["a row id of 201", "rows.0.id", list({ rows: [{ id: x(201), title: "A" }] })],
    [
      "a description of 73",
      "rows.0.description",
      list({ rows: [{ id: "a", title: "A", description: x(73) }] }),
    ],
    [
      "a list button of 21",
      "action.button",
      { ...list(), action: { button: x(21), sections: [{ rows: rows(1) }] } },
    ],
    ["a list body of 4097", "body.text", { ...list({ rows: rows(1) }), body: { text: x(4097) } }],
    ["a list with a picture above", "header", { ...list({ rows: rows(1) }), header: image({}) }],
    ["a link text of 21", "display_text", cta({ display_text: x(21), url: LINK })],
    ["a link that is none", "url", cta({ display_text: "See", url: "example" })],
    ["a flow call of 31", "flow_cta", flow({ flow_id: "1", flow_cta: x(31) })],
    [
      "a flow by id and name",
      "exactly one",
      flow({ flow_id: "1", flow_name: "a", flow_cta: "Go" }),
    ],
    [
      "another flow version",
      "version",
      flow({ flow_message_version: "2", flow_id: "1", flow_cta: "A" }),
    ],
    ["an unknown kind", "interactive.type", { type: "carousel_of_dreams" }],
  ])("interactive: %s", async (_, details, content) => {
    const { status, answer } = await send("interactive", content);
    expect(answer.error).toMatchObject({
      code: 131009,
      error_data: { details: expect.stringContaining(details) },
    });
    expect(status).toBe(400);
  });

  it.each<[string, string, unknown]>([
    ["a name with capitals", "template.name", { ...template(), name: "Come back" }],
    ["a language that is none", "language.code", { ...template(), language: { code: "English" } }],
    [
      "a line break in a gap",
      "new-line",
      template({ type: "body", parameters: [parameter("a\nb")] }),
    ],
    [
      "a tenth button",
      "index",
      template({
        type: "button",
        sub_type: "url",
        index: "10",
        parameters: [{ type: "text", text: "a" }],
      }),
    ],
    ["a component of no kind", "components.0.type", template({ type: "belly", parameters: [] })],
  ])("template: %s", async (_, details, content) => {
    const { answer } = await send("template", content);
    expect(answer.error).toMatchObject({
      code: 131009,
      error_data: { details: expect.stringContaining(details) },
    });
  });

  it("and sends nothing", async () => {
    const before = simulator.whatsApp.sent().length;
    await send("text", { body: x(4097) });
    expect(simulator.whatsApp.sent()).toHaveLength(before);
  });
});

describe("marking as read", () => {
  const read = (more: object) => post({ messaging_product: "whatsapp", status: "read", ...more });

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
