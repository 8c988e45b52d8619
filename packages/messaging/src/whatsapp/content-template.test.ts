import { describe, expect, it } from "@jest/globals";
import { LINK, long, TEMPLATE, withComponents } from "../testing/whatsapp-contents.ts";
import { readContent } from "./content.ts";

const read = (template: object) => readContent({ type: "template", template });

const text = (words: string) => ({ type: "text", text: words });
const body = (...parameters: object[]) => ({ type: "body", parameters });
const header = (...parameters: object[]) => ({ type: "header", parameters });
const button = (more: object, ...parameters: object[]) => ({
  type: "button",
  sub_type: "url",
  index: "0",
  parameters,
  ...more,
});

const PRICE = { fallback_value: "10 €", code: "EUR", amount_1000: 10_000 };
const currency = (more: object) => ({ type: "currency", currency: { ...PRICE, ...more } });

describe("the gaps of a template", () => {
  it.each([
    header(text("Anna")),
    header({ type: "image", image: { link: LINK } }),
    header({ type: "video", video: { id: "42" } }),
    header({ type: "document", document: { id: "42", filename: "bill.pdf" } }),
    header({ type: "location", location: { latitude: 51.38, longitude: -2.36, name: "Office" } }),
    body(text("a    b"), { ...text(long(32_768)), parameter_name: "job" }),
    body(currency({}), { type: "date_time", date_time: { fallback_value: "today" } }),
    button({}, text("Anna")),
    button({ sub_type: "quick_reply", index: 9 }, { type: "payload", payload: "yes" }),
    button({ sub_type: "copy_code" }, { type: "coupon_code", coupon_code: "TAP10" }),
    button(
      { sub_type: "flow" },
      { type: "action", action: { flow_token: "t", flow_action_data: { job: "boiler" } } },
    ),
  ])("may be %j", (component) => {
    const template = withComponents(component);
    expect(read(template)).toMatchObject({ ok: true, content: { payload: { template } } });
  });

  it("show in the history what fills them", () => {
    const template = withComponents(header(text("Anna")), body(currency({}), text("boiler")));
    expect(read(template)).toMatchObject({
      content: { body: "[template still_interested] Anna, boiler" },
    });
  });
});

/** What is not taken, the field named for it and what is said about it. */
type Refusal = [object, string, string];
const COMPONENT = "template.components.0";
const PARAMETER = `${COMPONENT}.parameters.0`;
const REFUSALS: Refusal[] = [
  ...[long(513), "Still interested", "still-interested", ""].map((name): Refusal => [
    { ...TEMPLATE, name },
    "template.name",
    "must be the name of a template: small letters, digits and underscores, up to 512",
  ]),
  ...["french", "FR", "fr-FR", ""].map((code): Refusal => [
    { ...TEMPLATE, language: { code } },
    "template.language.code",
    "must be a language such as fr or en_US",
  ]),
  ...[{}, { type: "footer" }, { type: "carousel", cards: [] }].map((component): Refusal => [
    withComponents(component),
    `${COMPONENT}.type`,
    "must be one of header, body, button",
  ]),
  ...[{ type: "body" }, body()].map((component): Refusal => [
    withComponents(component),
    `${COMPONENT}.parameters`,
    "must be a list of 1 to 1000",
  ]),
  ...[header(), header(text("a"), text("b")), button({}), button({}, text("a"), text("b"))].map(
    (component): Refusal => [
      withComponents(component),
      `${COMPONENT}.parameters`,
      "must be a list of 1",
    ],
  ),
  ...["a\nb", "a\r\nb", "a\tb", "a     b"].flatMap((words) =>
    [header, body, (parameter: object) => button({}, parameter)].map((make): Refusal => [
      withComponents(make(text(words))),
      `${PARAMETER}.text`,
      "must not have a line break, a tab or 5 spaces in a row",
    ]),
  ),
  ...["", long(32_769)].map((words): Refusal => [
    withComponents(body(text(words))),
    `${PARAMETER}.text`,
    "must be a text of 1 to 32768 characters",
  ]),
  [
    withComponents(header({ type: "sticker", sticker: { id: "42" } })),
    `${PARAMETER}.type`,
    "must be one of text, currency, date_time, image, video, document, location",
  ],
  [
    withComponents(header({ type: "image", image: {} })),
    `${PARAMETER}.image`,
    "must have exactly one of id and link",
  ],
  [
    withComponents(body(currency({ code: "euro" }))),
    `${PARAMETER}.currency.code`,
    "must be a currency such as EUR",
  ],
  [
    withComponents(body(currency({ amount_1000: 0.5 }))),
    `${PARAMETER}.currency.amount_1000`,
    "must be a whole number of thousandths",
  ],
  [
    withComponents(button({}, { type: "image", image: { id: "42" } })),
    `${PARAMETER}.type`,
    "must be one of payload, text, coupon_code, action",
  ],
  [
    withComponents(button({ sub_type: "catalog" }, text("a"))),
    `${COMPONENT}.sub_type`,
    "must be one of quick_reply, url, copy_code, flow",
  ],
  ...[10, -1, "10", "a", undefined].map((index): Refusal => [
    withComponents(button({ index }, text("a"))),
    `${COMPONENT}.index`,
    "must be the place of a button, 0 to 9",
  ]),
];

describe("a template nobody can send", () => {
  it.each(REFUSALS)("is %j: %s %s", (template, field, message) => {
    expect(read(template)).toEqual({ ok: false, problems: [{ field, message }] });
  });
});
