import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startSimulator } from "../index.ts";
import type { Simulator } from "../index.ts";
import {
  button,
  buttons,
  cta,
  flow,
  image,
  LINK,
  list,
  parameter,
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

describe("refuses what is beyond a limit in", () => {
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
  ])("an interactive message: %s", async (_, details, content) => {
    const { status, answer } = await send(simulator, "interactive", content);
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
  ])("a template: %s", async (_, details, content) => {
    const { answer } = await send(simulator, "template", content);
    expect(answer.error).toMatchObject({
      code: 131009,
      error_data: { details: expect.stringContaining(details) },
    });
  });
});
