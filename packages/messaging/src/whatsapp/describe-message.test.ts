import { describe, expect, it } from "@jest/globals";
import { message } from "../testing/meta-webhooks.ts";
import { of, read } from "../testing/read-meta.ts";

const UNREADABLE = "[a message of a kind that cannot be shown]";

const interactive = (more: Record<string, unknown>) => of("interactive", { interactive: more });
const form = (response_json?: unknown) =>
  interactive({ type: "nfm_reply", nfm_reply: { name: "flow", body: "Sent", response_json } });

describe("a WhatsApp message in words", () => {
  it.each<[string, ReturnType<typeof of>, string]>([
    ["a text", message(), "Hello"],
    [
      "a pressed button of a message",
      interactive({ type: "button_reply", button_reply: { id: "1", title: "STOP" } }),
      "STOP",
    ],
    [
      "a chosen row of a list",
      interactive({ list_reply: { id: "1", title: "Tomorrow", description: "8 to 12" } }),
      "Tomorrow",
    ],
    [
      "a pressed button of a template",
      of("button", { button: { payload: "yes-1", text: "Yes, please" } }),
      "Yes, please",
    ],
    ["a pressed button without words", of("button", { button: { payload: "yes-1" } }), "yes-1"],
    [
      "a place",
      of("location", {
        location: { latitude: 51.5, longitude: -0.12, name: "Joe's Garage", address: "1 High St" },
      }),
      "[location: 51.5, -0.12, Joe's Garage, 1 High St]",
    ],
    [
      "a place without a name",
      of("location", { location: { latitude: "51.5", longitude: 0 } }),
      "[location: 51.5, 0]",
    ],
    [
      "a contact",
      of("contacts", {
        contacts: [
          {
            name: { formatted_name: "B. Mole" },
            org: { company: "Mole Ltd" },
            phones: [{ phone: "+44 7400 123457", wa_id: "447400123457" }],
            emails: [{ email: "b@mole.example" }],
          },
        ],
      }),
      "[contact: B. Mole, Mole Ltd, +44 7400 123457, b@mole.example]",
    ],
    [
      "two contacts",
      of("contacts", {
        contacts: [{ name: { first_name: "B" } }, { phones: [{ wa_id: "447400123457" }] }],
      }),
      "[contacts: B, 447400123457]",
    ],
    [
      "a contact of which only a vcard is known",
      of("contacts", { contacts: [{ vcard: "BEGIN:VCARD" }] }),
      "[contact]",
    ],
    [
      "an order",
      of("order", {
        order: {
          catalog_id: "1",
          text: "By Friday",
          product_items: [
            { product_retailer_id: "tap", quantity: 2, item_price: 10.5, currency: "EUR" },
            { product_retailer_id: "hose" },
          ],
        },
      }),
      "[order: 2 × tap at 10.5 EUR, 1 × hose, By Friday]",
    ],
    ["an order of nothing", of("order", { order: { product_items: "none" } }), "[order]"],
    [
      "a filled form",
      form(
        '{"flow_token":"x","day":"Monday","times":["8","9"],"urgent":true,"where":{"floor":2},"note":null}',
      ),
      "[form: day: Monday, times: 8, 9, urgent: yes, where: floor: 2]",
    ],
    ["a form that is no object", form('["a","b"]'), "[form: a, b]"],
    ["a form that is no JSON", form("{day: Monday"), "[form: {day: Monday]"],
    ["a form that is an object already", form({ day: "Monday" }), "[form: day: Monday]"],
    ["a form without answers", form(), "[form: Sent]"],
    ["a form that is a number", form("1"), "[form: 1]"],
    [
      "a permission to call",
      interactive({ type: "call_permission_reply", call_permission_reply: { response: "accept" } }),
      "[permission to call: accept]",
    ],
    [
      "an edited text",
      of("edit", {
        edit: {
          original_message_id: "wamid.1",
          message: { type: "text", text: { body: "At nine" } },
        },
      }),
      "[edited: At nine]",
    ],
    [
      "the first opening of the chat",
      of("request_welcome", {}),
      "[the chat was opened for the first time]",
    ],
  ])("%s", (_name, item, words) => {
    const { type, body, media, silent } = read(item);
    expect({ type, body, media, silent }).toEqual({
      type: item.type,
      body: words,
      media: [],
      silent: undefined,
    });
  });

  it.each([
    [
      "a reaction",
      of("reaction", { reaction: { message_id: "wamid.1", emoji: "👍" } }),
      "[reaction: 👍]",
    ],
    [
      "a reaction taken back",
      of("reaction", { reaction: { message_id: "wamid.1" } }),
      "[reaction taken back]",
    ],
    [
      "a reaction taken back, as it was",
      of("reaction", { reaction: { message_id: "wamid.1", emoji: "" } }),
      "[reaction taken back]",
    ],
    [
      "a deleted message",
      of("revoke", { revoke: { original_message_id: "wamid.1" } }),
      "[a message was deleted]",
    ],
    [
      "a system message",
      of("system", {
        system: { type: "customer_identity_changed", body: "The security code changed" },
      }),
      "[The security code changed]",
    ],
    ["a system message without words", of("system", {}), "[a change of the account]"],
  ])("%s, which calls for no answer", (_name, item, words) => {
    expect(read(item)).toMatchObject({ type: item.type, body: words, silent: true });
  });

  it.each([
    [
      "an unsupported one",
      of("unsupported", { errors: [{ code: 131051 }], unsupported: { type: "poll" } }),
      "unsupported",
    ],
    [
      "an unsupported one with a number as its type",
      of("unsupported", { unsupported: 1 }),
      "unsupported",
    ],
    ["one of the future", of("hologram", { hologram: { id: "1" } }), "unknown"],
    ["one named like a part of every object", of("constructor", {}), "unknown"],
    ["one named like its prototype", of("__proto__", {}), "unknown"],
    ["one without a type", { ...message(), type: null }, "unknown"],
    ["one with a list as its type", { ...message(), type: ["text"] }, "unknown"],
    ["a text without words", of("text", {}), "unknown"],
    ["a text with a number for words", message({ text: { body: 7 } }), "unknown"],
    ["a button without a title", interactive({ button_reply: { id: "1", title: " " } }), "unknown"],
    ["an interactive one of the future", interactive({ type: "dial", dial: {} }), "unknown"],
    ["a place that is nowhere", of("location", { location: {} }), "unknown"],
    ["contacts that are none", of("contacts", { contacts: ["B"] }), "unknown"],
    ["an order that is none", of("order", { order: [] }), "unknown"],
    ["an edit to nothing known", of("edit", { edit: {} }), "unknown"],
  ])("%s cannot be shown, and still calls for an answer", (_name, item, type) => {
    const described = read(item);
    expect(described).toMatchObject({ type, body: UNREADABLE, media: [], payload: item });
    expect(described.silent).toBeUndefined();
  });

  it("is cut where nobody reads on, between characters", () => {
    const item = form(JSON.stringify({ note: `!${"🔧".repeat(20_000)}` }));
    const { body, payload } = read(item);
    expect(body.length).toBeLessThan(2100);
    expect(body.isWellFormed()).toBe(true);
    expect(body).toMatch(/^\[form: note: !🔧.*…\]$/u);
    expect(payload).toEqual(item);
  });
});
