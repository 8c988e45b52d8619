import { describe, expect, it } from "@jest/globals";
import {
  ASK_LOCATION,
  button,
  BUTTONS,
  CONTACT,
  FLOW,
  LINK,
  LIST,
  rows,
  withButtons,
  withFlow,
  withRow,
  withSections,
  withUrl,
} from "../testing/whatsapp-contents.ts";
import { readContent } from "./content.ts";

const read = (type: string, value: unknown) => readContent({ type, [type]: value });

/** The kind, what passes, what does not, the field named for it and what is said about it. */
type Rule = [string, unknown, unknown, string, string];
const header = (value: object) => ({ ...BUTTONS, header: value });
const FIELD = "is not a field of this kind of message";
const SOURCE = "must have exactly one of id and link";
const ENDS = "must not begin or end with a space";
const BOOLEAN = "must be true or false";
const RULES: Rule[] = [
  ["text", { body: "a" }, { body: 1 }, "text.body", "must be a text of 1 to 4096 characters"],
  ["text", { body: "a" }, {}, "text.body", "must be a text of 1 to 4096 characters"],
  [
    "text",
    { body: "a", preview_url: true },
    { body: "a", preview_url: 1 },
    "text.preview_url",
    BOOLEAN,
  ],
  ...["image", "video", "audio", "document", "sticker"].flatMap((type): Rule[] => [
    [type, { id: "1" }, {}, type, SOURCE],
    [type, { link: LINK }, { id: "1", link: LINK }, type, SOURCE],
    ...["a.jpg", "ftp://files.example/a", "https:files.example", "https://files.example/a b"].map(
      (link): Rule => [
        type,
        { link: LINK },
        { link },
        `${type}.link`,
        "must be a link with http:// or https://",
      ],
    ),
    [type, { id: "1" }, { id: "a b" }, `${type}.id`, "must be the id of a file"],
  ]),
  ["audio", { id: "1", voice: true }, { id: "1", voice: 1 }, "audio.voice", BOOLEAN],
  ["audio", { id: "1" }, { id: "1", caption: "a" }, "audio.caption", FIELD],
  ["sticker", { id: "1" }, { id: "1", caption: "a" }, "sticker.caption", FIELD],
  ["image", { id: "1" }, { id: "1", filename: "a" }, "image.filename", FIELD],
  [
    "location",
    { latitude: -90, longitude: 0 },
    { latitude: 90.1, longitude: 0 },
    "location.latitude",
    "must be a number from -90 to 90",
  ],
  [
    "location",
    { latitude: 0, longitude: 180 },
    { latitude: 0, longitude: "0" },
    "location.longitude",
    "must be a number from -180 to 180",
  ],
  [
    "contacts",
    Array(257).fill(CONTACT),
    Array(258).fill(CONTACT),
    "contacts",
    "must be a list of 1 to 257",
  ],
  ["contacts", [CONTACT], [], "contacts", "must be a list of 1 to 257"],
  [
    "contacts",
    [CONTACT],
    [CONTACT, { name: {} }],
    "contacts.1.name.formatted_name",
    "must be a text of 1 to 4096 characters",
  ],
  [
    "contacts",
    [CONTACT],
    [{ name: { formatted_name: "Ben" } }],
    "contacts.0.name",
    "must have a part, such as first_name, besides formatted_name",
  ],
  ...[
    ["phones", "phone"],
    ["emails", "email"],
    ["urls", "url"],
  ].map(([field = "", what]): Rule => [
    "contacts",
    [CONTACT],
    [{ ...CONTACT, [field]: [{ type: "WORK" }] }],
    `contacts.0.${field}.0.${what}`,
    "must be a text of 1 to 4096 characters",
  ]),
  [
    "contacts",
    [CONTACT],
    [{ ...CONTACT, birthday: "31.12.1999" }],
    "contacts.0.birthday",
    "must be a day such as 1999-12-31",
  ],
  [
    "interactive",
    withButtons(...["1", "2", "3"].map((id) => button(id, id))),
    withButtons(...["1", "2", "3", "4"].map((id) => button(id, id))),
    "interactive.action.buttons",
    "must be a list of 1 to 3",
  ],
  ["interactive", BUTTONS, withButtons(), "interactive.action.buttons", "must be a list of 1 to 3"],
  [
    "interactive",
    withButtons(button("1", "Yes"), button("2", "No")),
    withButtons(button("1", "Yes"), button("1", "No")),
    "interactive.action.buttons",
    "must not have the same id twice",
  ],
  [
    "interactive",
    withButtons(button("1", "Yes"), button("2", "yes")),
    withButtons(button("1", "Yes"), button("2", "Yes")),
    "interactive.action.buttons",
    "must not have the same title twice",
  ],
  ...[" 1", "1 ", "1\n"].flatMap((id): Rule[] => [
    [
      "interactive",
      withButtons(button("1 2")),
      withButtons(button(id)),
      "interactive.action.buttons.0.reply.id",
      ENDS,
    ],
    [
      "interactive",
      withRow({ id: "1 2" }),
      withRow({ id }),
      "interactive.action.sections.0.rows.0.id",
      ENDS,
    ],
  ]),
  [
    "interactive",
    header({ type: "image", image: { id: "1" } }),
    header({ type: "image", image: {} }),
    "interactive.header.image",
    SOURCE,
  ],
  [
    "interactive",
    header({ type: "document", document: { id: "1", filename: "a.pdf" } }),
    header({ type: "document", document: { id: "1", caption: "a" } }),
    "interactive.header.document.caption",
    FIELD,
  ],
  [
    "interactive",
    header({ type: "video", video: { id: "1" } }),
    header({ type: "sticker" }),
    "interactive.header.type",
    "must be one of text, image, video, document",
  ],
  [
    "interactive",
    LIST,
    { ...LIST, header: { type: "image", image: { id: "1" } } },
    "interactive.header.type",
    "must be text",
  ],
  [
    "interactive",
    withSections({ rows: rows(10) }),
    withSections({ rows: rows(11) }),
    "interactive.action.sections.0.rows",
    "must be a list of 1 to 10",
  ],
  [
    "interactive",
    withSections({ title: "a", rows: rows(5) }, { title: "b", rows: rows(5, 5) }),
    withSections({ title: "a", rows: rows(6) }, { title: "b", rows: rows(5, 6) }),
    "interactive.action.sections",
    "must have at most 10 rows in all",
  ],
  ["interactive", LIST, withSections(), "interactive.action.sections", "must be a list of 1 to 10"],
  [
    "interactive",
    withSections({ rows: rows(1) }),
    withSections({ title: "a", rows: rows(1) }, { rows: rows(1, 1) }),
    "interactive.action.sections",
    "must each have a title when there are several",
  ],
  [
    "interactive",
    LIST,
    withSections({ title: "a", rows: rows(1) }, { title: "b", rows: rows(1) }),
    "interactive.action.sections",
    "must not have the same row id twice",
  ],
  ...["javascript:alert(1)", "http:a.example", "http://a.example/a b"].map((url): Rule => [
    "interactive",
    withUrl({ url: "http://a.example" }),
    withUrl({ url }),
    "interactive.action.parameters.url",
    "must be a link with http:// or https://",
  ]),
  ...["Start 😀", "🇫🇷", "1️⃣"].map((label): Rule => [
    "interactive",
    withFlow({ flow_cta: "Nº 1" }),
    withFlow({ flow_cta: label }),
    "interactive.action.parameters.flow_cta",
    "must not have emoji",
  ]),
  ...[{}, [], "a"].map((data): Rule => [
    "interactive",
    withFlow({ flow_action_payload: { screen: "A" } }),
    withFlow({ flow_action_payload: { screen: "A", data } }),
    "interactive.action.parameters.flow_action_payload.data",
    "must be an object that is not empty",
  ]),
  [
    "interactive",
    withFlow({ flow_id: undefined, flow_name: "a" }),
    withFlow({ flow_name: "a" }),
    "interactive.action.parameters",
    "must have exactly one of flow_id and flow_name",
  ],
  [
    "interactive",
    FLOW,
    withFlow({ flow_message_version: "2" }),
    "interactive.action.parameters.flow_message_version",
    'must be "3"',
  ],
  [
    "interactive",
    ASK_LOCATION,
    { ...ASK_LOCATION, footer: { text: "a" } },
    "interactive.footer",
    FIELD,
  ],
  [
    "interactive",
    ASK_LOCATION,
    { type: "product" },
    "interactive.type",
    "must be one of button, list, cta_url, flow, location_request_message",
  ],
  ...["👍👍", "1", "a", 1].map((emoji): Rule => [
    "reaction",
    { message_id: "w", emoji: "1️⃣" },
    { message_id: "w", emoji },
    "reaction.emoji",
    "must be one emoji, or empty to take it back",
  ]),
  [
    "reaction",
    { message_id: "w", emoji: "" },
    { emoji: "👍" },
    "reaction.message_id",
    "must be the id of a message",
  ],
  [
    "mark_read",
    { message_id: "w" },
    { message_id: "" },
    "mark_read.message_id",
    "must be the id of a message",
  ],
  [
    "mark_read",
    { message_id: "w", typing: false },
    { message_id: "w", typing: "no" },
    "mark_read.typing",
    BOOLEAN,
  ],
];

describe("of a message of the kind", () => {
  it.each(RULES)("%s, %j may be sent and not %j: %s %s", (type, within, beyond, field, message) => {
    expect(read(type, within)).toMatchObject({ ok: true });
    expect(read(type, beyond)).toEqual({ ok: false, problems: [{ field, message }] });
  });
});
