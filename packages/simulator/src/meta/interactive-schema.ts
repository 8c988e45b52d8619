import { z } from "zod";
import { assets, link, required } from "./content-schema.ts";

// Limits: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
// and the pages on lists, call-to-action URLs, flows and location requests beside it.

const textHeader = z.strictObject({ type: z.literal("text"), text: required(60) });
const header = z
  .discriminatedUnion("type", [
    textHeader,
    z.strictObject({ type: z.literal("image"), image: assets.image }),
    z.strictObject({ type: z.literal("video"), video: assets.video }),
    z.strictObject({ type: z.literal("document"), document: assets.document }),
  ])
  .exactOptional();
const footer = z.strictObject({ text: required(60) }).exactOptional();
const body = z.strictObject({ text: required(1024) });

const isUnique = (values: string[]) => new Set(values).size === values.length;
const identifier = (max: number) =>
  required(max).refine((id) => id.trim() === id, "must not begin or end with a space");

const buttons = z
  .array(
    z.strictObject({
      type: z.literal("reply"),
      reply: z.strictObject({ id: identifier(256), title: required(20) }),
    }),
  )
  .min(1)
  .max(3)
  .refine((all) => isUnique(all.map(({ reply }) => reply.id)), "ids must differ")
  .refine((all) => isUnique(all.map(({ reply }) => reply.title)), "titles must differ");

const MAX_ROWS = 10;
const row = z.strictObject({
  id: identifier(200),
  title: required(24),
  description: required(72).exactOptional(),
});
const section = z.strictObject({
  title: required(24).exactOptional(),
  rows: z.array(row).min(1).max(MAX_ROWS),
});
const sections = z
  .array(section)
  .min(1)
  .max(MAX_ROWS)
  .refine((all) => all.length === 1 || all.every(({ title }) => title), "each needs a title")
  .refine(
    (all) => all.flatMap(({ rows }) => rows).length <= MAX_ROWS,
    `have more than ${MAX_ROWS} rows in all`,
  )
  .refine(
    (all) => isUnique(all.flatMap(({ rows }) => rows.map(({ id }) => id))),
    "ids must differ",
  );

const flow = z
  .strictObject({
    flow_message_version: z.literal("3"),
    flow_id: required().exactOptional(),
    flow_name: required().exactOptional(),
    flow_cta: required(30).refine(
      (text) => !/\p{Extended_Pictographic}/u.test(text),
      "must not have emoji",
    ),
    flow_token: required().exactOptional(),
    mode: z.enum(["draft", "published"]).exactOptional(),
    flow_action: z.enum(["navigate", "data_exchange"]).exactOptional(),
    flow_action_payload: z
      .strictObject({
        screen: required(),
        data: z
          .record(z.string(), z.unknown())
          .refine((data) => Object.keys(data).length > 0, "must not be empty")
          .exactOptional(),
      })
      .exactOptional(),
  })
  .refine(
    ({ flow_id: id, flow_name: name }) => (id === undefined) !== (name === undefined),
    "give exactly one of flow_id and flow_name",
  );

/** Buttons, a list, a link, a flow, or a request for a location. */
export const interactive = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("button"),
    header,
    body,
    footer,
    action: z.strictObject({ buttons }),
  }),
  z.strictObject({
    type: z.literal("list"),
    header: textHeader.exactOptional(),
    body: z.strictObject({ text: required(4096) }),
    footer,
    action: z.strictObject({ button: required(20), sections }),
  }),
  z.strictObject({
    type: z.literal("cta_url"),
    header,
    body,
    footer,
    action: z.strictObject({
      name: z.literal("cta_url"),
      parameters: z.strictObject({ display_text: required(20), url: link }),
    }),
  }),
  z.strictObject({
    type: z.literal("flow"),
    header,
    body,
    footer,
    action: z.strictObject({ name: z.literal("flow"), parameters: flow }),
  }),
  z.strictObject({
    type: z.literal("location_request_message"),
    body,
    action: z.strictObject({ name: z.literal("send_location") }),
  }),
]);
