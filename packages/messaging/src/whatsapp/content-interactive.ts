import { z } from "zod";
import { headerDocument, headerFile } from "./content-media.ts";
import {
  answerId,
  areUnique,
  contentKind,
  type ContentKind,
  HAS_EMOJI,
  idOf,
  labelled,
  listOf,
  webLink,
  words,
} from "./content-words.ts";

const textHeader = z.strictObject({ type: z.literal("text"), text: words(60) });
const header = z.discriminatedUnion(
  "type",
  [
    textHeader,
    z.strictObject({ type: z.literal("image"), image: headerFile }),
    z.strictObject({ type: z.literal("video"), video: headerFile }),
    z.strictObject({ type: z.literal("document"), document: headerDocument }),
  ],
  "must be one of text, image, video, document",
);
const body = (longest: number) => z.strictObject({ text: words(longest) });
const footer = z.strictObject({ text: words(60) }).optional();

const button = z.strictObject({
  type: z.literal("button"),
  header: header.optional(),
  body: body(1024),
  footer,
  action: z.strictObject({
    buttons: listOf(
      z.strictObject({
        type: z.literal("reply", "must be reply"),
        reply: z.strictObject({ id: answerId(256), title: words(20) }),
      }),
      { max: 3 },
    )
      .refine(
        (buttons) => areUnique(buttons.map(({ reply }) => reply.id)),
        "must not have the same id twice",
      )
      .refine(
        (buttons) => areUnique(buttons.map(({ reply }) => reply.title)),
        "must not have the same title twice",
      ),
  }),
});

const MOST_ROWS = 10;
const sections = listOf(
  z.strictObject({
    title: words(24).optional(),
    rows: listOf(
      z.strictObject({ id: answerId(200), title: words(24), description: words(72).optional() }),
      { max: MOST_ROWS },
    ),
  }),
  { max: 10 },
)
  .refine(
    (list) => list.flatMap(({ rows }) => rows).length <= MOST_ROWS,
    `must have at most ${MOST_ROWS} rows in all`,
  )
  .refine(
    (list) => areUnique(list.flatMap(({ rows }) => rows.map(({ id }) => id))),
    "must not have the same row id twice",
  )
  .refine(
    (list) => list.length === 1 || list.every(({ title }) => title !== undefined),
    "must each have a title when there are several",
  );
const list = z.strictObject({
  type: z.literal("list"),
  header: z.discriminatedUnion("type", [textHeader], "must be text").optional(),
  body: body(4096),
  footer,
  action: z.strictObject({ button: words(20), sections }),
});

const ctaUrl = z.strictObject({
  type: z.literal("cta_url"),
  header: header.optional(),
  body: body(1024),
  footer,
  action: z.strictObject({
    name: z.literal("cta_url", "must be cta_url"),
    parameters: z.strictObject({
      display_text: words(20),
      url: webLink,
    }),
  }),
});

const FLOW_DATA = "must be an object that is not empty";
const flow = z.strictObject({
  type: z.literal("flow"),
  header: header.optional(),
  body: body(1024),
  footer,
  action: z.strictObject({
    name: z.literal("flow", "must be flow"),
    parameters: z
      .strictObject({
        flow_message_version: z.literal("3", 'must be "3"'),
        flow_id: idOf("flow").optional(),
        flow_name: words().optional(),
        flow_cta: words(30).refine((label) => !HAS_EMOJI.test(label), "must not have emoji"),
        flow_token: words().optional(),
        mode: z.enum(["draft", "published"], "must be draft or published").optional(),
        flow_action: z
          .enum(["navigate", "data_exchange"], "must be navigate or data_exchange")
          .optional(),
        flow_action_payload: z
          .strictObject({
            screen: words(),
            data: z
              .record(z.string(), z.unknown(), FLOW_DATA)
              .refine((data) => Object.keys(data).length > 0, FLOW_DATA)
              .optional(),
          })
          .optional(),
      })
      .refine(
        (parameters) => (parameters.flow_id === undefined) !== (parameters.flow_name === undefined),
        "must have exactly one of flow_id and flow_name",
      ),
  }),
});

const locationRequest = z.strictObject({
  type: z.literal("location_request_message"),
  body: body(1024),
  action: z.strictObject({ name: z.literal("send_location", "must be send_location") }),
});

const interactive = z.discriminatedUnion(
  "type",
  [button, list, ctaUrl, flow, locationRequest],
  "must be one of button, list, cta_url, flow, location_request_message",
);
type Interactive = z.output<typeof interactive>;

/** Messages with something to press. */
export const interactiveKinds: Record<string, ContentKind> = {
  interactive: contentKind({ schema: interactive, inWords }),
};

function inWords(message: Interactive): string {
  const top = "header" in message ? message.header : undefined;
  const lines = [
    top && (top.type === "text" ? top.text : labelled(top.type, undefined)),
    message.body.text,
    "footer" in message ? message.footer?.text : undefined,
    choices(message),
  ];
  return lines.filter((line) => line !== undefined).join("\n");
}

function choices(message: Interactive): string {
  switch (message.type) {
    case "button":
      return message.action.buttons.map(({ reply }) => `[${reply.title}]`).join(" ");
    case "list": {
      const rows = message.action.sections.flatMap((section) => section.rows);
      return `[${message.action.button}: ${rows.map(({ title }) => title).join(" | ")}]`;
    }
    case "cta_url": {
      const { display_text: label, url } = message.action.parameters;
      return `[${label}: ${url}]`;
    }
    case "flow":
      return `[${message.action.parameters.flow_cta}]`;
    case "location_request_message":
      return "[send location]";
  }
}
