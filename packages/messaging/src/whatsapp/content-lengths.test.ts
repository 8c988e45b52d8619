import { describe, expect, it } from "@jest/globals";
import {
  ASK_LOCATION,
  button,
  BUTTONS,
  CTA,
  FLOW,
  LIST,
  long,
  rows,
  withButtons,
  withFlow,
  withRow,
  withSections,
  withUrl,
} from "../testing/whatsapp-contents.ts";
import { readContent } from "./content.ts";

const read = (type: string, value: unknown) => readContent({ type, [type]: value });

/** The kind, the field, its most characters, and a message with so long a text in that field. */
type Length = [string, string, number, (text: string) => object];
const BUTTON = "interactive.action.buttons.0.reply";
const ROW = "interactive.action.sections.0.rows.0";
const LENGTHS: Length[] = [
  ["text", "text.body", 4096, (body) => ({ body })],
  ["image", "image.caption", 1024, (caption) => ({ id: "1", caption })],
  ["video", "video.caption", 1024, (caption) => ({ id: "1", caption })],
  ["document", "document.caption", 1024, (caption) => ({ id: "1", caption })],
  ["document", "document.filename", 240, (filename) => ({ id: "1", filename })],
  ...[BUTTONS, CTA, FLOW, ASK_LOCATION].map((base): Length => [
    "interactive",
    "interactive.body.text",
    1024,
    (text) => ({ ...base, body: { text } }),
  ]),
  ["interactive", "interactive.body.text", 4096, (text) => ({ ...LIST, body: { text } })],
  ...[BUTTONS, LIST, CTA, FLOW].flatMap((base): Length[] => [
    [
      "interactive",
      "interactive.header.text",
      60,
      (text) => ({ ...base, header: { type: "text", text } }),
    ],
    ["interactive", "interactive.footer.text", 60, (text) => ({ ...base, footer: { text } })],
  ]),
  ["interactive", `${BUTTON}.title`, 20, (title) => withButtons(button("1", title))],
  ["interactive", `${BUTTON}.id`, 256, (id) => withButtons(button(id), button("2", "No"))],
  [
    "interactive",
    "interactive.action.button",
    20,
    (text) => ({ ...LIST, action: { ...LIST.action, button: text } }),
  ],
  [
    "interactive",
    "interactive.action.sections.0.title",
    24,
    (title) => withSections({ title, rows: rows(1) }),
  ],
  ["interactive", `${ROW}.title`, 24, (title) => withRow({ title })],
  ["interactive", `${ROW}.description`, 72, (description) => withRow({ description })],
  ["interactive", `${ROW}.id`, 200, (id) => withRow({ id })],
  [
    "interactive",
    "interactive.action.parameters.display_text",
    20,
    (text) => withUrl({ display_text: text }),
  ],
  [
    "interactive",
    "interactive.action.parameters.flow_cta",
    30,
    (text) => withFlow({ flow_cta: text }),
  ],
];

describe.each(LENGTHS)("of a message of the kind %s, %s", (type, field, most, make) => {
  const problem = { field, message: `must be a text of 1 to ${most} characters` };

  it(`may have ${most} characters`, () => {
    expect(read(type, make(long(most)))).toMatchObject({ ok: true });
  });

  it.each([
    ["more", long(most + 1)],
    ["none", ""],
    ["blanks only", " \n\0"],
  ])("must not have %s", (_name, text) => {
    expect(read(type, make(text))).toEqual({ ok: false, problems: [problem] });
  });
});
