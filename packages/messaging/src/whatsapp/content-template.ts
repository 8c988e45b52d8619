import { z } from "zod";
import { headerDocument, headerFile } from "./content-media.ts";
import { location } from "./content-people.ts";
import { contentKind, type ContentKind, labelled, listOf, words } from "./content-words.ts";

const NAME = "must be the name of a template: small letters, digits and underscores, up to 512";
const LANGUAGE = "must be a language such as fr or en_US";
const CURRENCY = "must be a currency such as EUR";
const INDEX = "must be the place of a button, 0 to 9";

/** What fills a gap in a text. The longest is a whole body. */
const filling = words(32_768).refine((filled) => !/[\n\t]| {5}/.test(filled), {
  error: "must not have a line break, a tab or 5 spaces in a row",
});
const named = { parameter_name: words().optional() };
const parameter = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("text"), text: filling, ...named }),
    z.strictObject({
      type: z.literal("currency"),
      currency: z.strictObject({
        fallback_value: words(),
        code: z.string(CURRENCY).regex(/^[A-Z]{3}$/, CURRENCY),
        amount_1000: z.int("must be a whole number of thousandths"),
      }),
      ...named,
    }),
    z.strictObject({
      type: z.literal("date_time"),
      date_time: z.strictObject({ fallback_value: words() }),
      ...named,
    }),
    z.strictObject({ type: z.literal("image"), image: headerFile }),
    z.strictObject({ type: z.literal("video"), video: headerFile }),
    z.strictObject({ type: z.literal("document"), document: headerDocument }),
    z.strictObject({ type: z.literal("location"), location }),
  ],
  "must be one of text, currency, date_time, image, video, document, location",
);
const buttonParameter = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("payload"), payload: words() }),
    z.strictObject({ type: z.literal("text"), text: filling }),
    z.strictObject({ type: z.literal("coupon_code"), coupon_code: words() }),
    z.strictObject({
      type: z.literal("action"),
      action: z.strictObject({
        flow_token: words().optional(),
        flow_action_data: z.record(z.string(), z.unknown(), "must be an object").optional(),
      }),
    }),
  ],
  "must be one of payload, text, coupon_code, action",
);

// A component without gaps is left out: Meta knows it.
const component = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("header"), parameters: listOf(parameter, { max: 1 }) }),
    z.strictObject({ type: z.literal("body"), parameters: listOf(parameter, { max: 1000 }) }),
    z.strictObject({
      type: z.literal("button"),
      sub_type: z.enum(
        ["quick_reply", "url", "copy_code", "flow"],
        "must be one of quick_reply, url, copy_code, flow",
      ),
      index: z
        .union([z.number(), z.string()], INDEX)
        .refine((index) => /^\d$/.test(String(index)), INDEX),
      parameters: listOf(buttonParameter, { max: 1 }),
    }),
  ],
  "must be one of header, body, button",
);

const template = z.strictObject({
  name: z.string(NAME).regex(/^[a-z0-9_]{1,512}$/, NAME),
  language: z.strictObject({
    code: z.string(LANGUAGE).regex(/^[a-z]{2,3}(_[A-Z]{2,3})?$/, LANGUAGE),
    policy: z.literal("deterministic", "must be deterministic").optional(),
  }),
  components: listOf(component, { min: 0, max: 100 }).optional(),
});

/**
 * Approved texts: the only messages that go outside the customer service window. Carousels,
 * limited-time offers and order updates are not among them
 * (developers.facebook.com/documentation/business-messaging/whatsapp/templates/components).
 */
export const templateKinds: Record<string, ContentKind> = {
  template: contentKind({
    schema: template,
    inWords: ({ name, components = [] }) => {
      const texts = components
        .flatMap(({ parameters }) => parameters.map(textOf))
        .filter((text) => text !== undefined);
      return labelled(`template ${name}`, texts.join(", "));
    },
  }),
};

function textOf(
  filled: z.output<typeof parameter> | z.output<typeof buttonParameter>,
): string | undefined {
  return filled.type === "text" ? filled.text : undefined;
}
