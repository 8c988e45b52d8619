import { z } from "zod";
import { assets, location, required } from "./content-schema.ts";

// https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview. Carousels, limited-time
// offers and order updates are not among what is understood here.

const name = { parameter_name: required().exactOptional() };
const words = required(32_768).refine(
  (text) => !/[\n\t]| {5}/.test(text),
  "cannot have new-line/tab characters or more than 4 consecutive spaces",
);
const parameter = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: words, ...name }),
  z.strictObject({
    type: z.literal("currency"),
    currency: z.strictObject({
      fallback_value: required(),
      code: z.string().regex(/^[A-Z]{3}$/),
      amount_1000: z.int(),
    }),
    ...name,
  }),
  z.strictObject({
    type: z.literal("date_time"),
    date_time: z.strictObject({ fallback_value: required() }),
    ...name,
  }),
  z.strictObject({ type: z.literal("image"), image: assets.image }),
  z.strictObject({ type: z.literal("video"), video: assets.video }),
  z.strictObject({ type: z.literal("document"), document: assets.document }),
  z.strictObject({ type: z.literal("location"), location }),
]);
const buttonParameter = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("payload"), payload: required() }),
  z.strictObject({ type: z.literal("text"), text: words }),
  z.strictObject({ type: z.literal("coupon_code"), coupon_code: required() }),
  z.strictObject({
    type: z.literal("action"),
    action: z.strictObject({
      flow_token: required().exactOptional(),
      flow_action_data: z.record(z.string(), z.unknown()).exactOptional(),
    }),
  }),
]);

const component = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("header"), parameters: z.array(parameter).length(1) }),
  z.strictObject({ type: z.literal("body"), parameters: z.array(parameter).min(1) }),
  z.strictObject({
    type: z.literal("button"),
    sub_type: z.enum(["quick_reply", "url", "copy_code", "flow"]),
    index: z.union([z.int().min(0).max(9), z.string().regex(/^\d$/)]),
    parameters: z.array(buttonParameter).length(1),
  }),
]);

/** A message approved beforehand, with what fills its gaps. */
export const template = z.strictObject({
  name: z
    .string()
    .max(512)
    .regex(/^[a-z0-9_]+$/),
  language: z.strictObject({
    code: z.string().regex(/^[a-z]{2,3}(_[A-Z]{2,3})?$/),
    policy: z.literal("deterministic").exactOptional(),
  }),
  components: z.array(component).exactOptional(),
});
