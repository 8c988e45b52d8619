import { z } from "zod";

// Limits: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages and the
// pages beside it. Characters are counted as UTF-16 units, the strictest reading of "characters".

export const required = (max = Infinity) => z.string().min(1).max(max);
export const link = z.url({ protocol: /^https?$/ });

const asset = { id: required().exactOptional(), link: link.exactOptional() };
const oneOf = (value: { id?: string; link?: string }) =>
  (value.id === undefined) !== (value.link === undefined);
const EXACTLY_ONE = "give exactly one of id and link";

const image = z.strictObject({ ...asset, caption: required(1024).exactOptional() });
const document = image.extend({ filename: required().exactOptional() });

/** What media messages, headers and template parameters are made of. */
export const assets = {
  image: z.strictObject(asset).refine(oneOf, EXACTLY_ONE),
  video: z.strictObject(asset).refine(oneOf, EXACTLY_ONE),
  document: z
    .strictObject({ ...asset, filename: required().exactOptional() })
    .refine(oneOf, EXACTLY_ONE),
};

const coordinate = (limit: number) =>
  z
    .union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/)])
    .refine((value) => Math.abs(Number(value)) <= limit, `must be between -${limit} and ${limit}`);

export const location = z.strictObject({
  latitude: coordinate(90),
  longitude: coordinate(180),
  name: required().exactOptional(),
  address: required().exactOptional(),
});

const word = required().exactOptional();
const kind = z.string().exactOptional();
const nameParts = {
  first_name: word,
  last_name: word,
  middle_name: word,
  suffix: word,
  prefix: word,
};
const contact = z.strictObject({
  name: z
    .strictObject({ formatted_name: required(), ...nameParts })
    .refine(
      (name) => Object.keys(nameParts).some((part) => part in name),
      "needs another part beside formatted_name",
    ),
  phones: z
    .array(z.strictObject({ phone: required(), wa_id: word, type: kind }))
    .min(1)
    .exactOptional(),
  emails: z
    .array(z.strictObject({ email: required(), type: kind }))
    .min(1)
    .exactOptional(),
  urls: z
    .array(z.strictObject({ url: required(), type: kind }))
    .min(1)
    .exactOptional(),
  addresses: z
    .array(
      z.strictObject({
        street: word,
        city: word,
        state: word,
        zip: word,
        country: word,
        country_code: word,
        type: kind,
      }),
    )
    .min(1)
    .exactOptional(),
  org: z.strictObject({ company: word, department: word, title: word }).exactOptional(),
  birthday: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/)
    .exactOptional(),
});

function isEmoji(text: string): boolean {
  const graphemes = [...new Intl.Segmenter().segment(text)].length;
  return graphemes === 1 && /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(text);
}

/** The content of each type of message but `interactive` and `template`. */
export const contents = {
  text: z.strictObject({ body: required(4096), preview_url: z.boolean().exactOptional() }),
  image: image.refine(oneOf, EXACTLY_ONE),
  video: image.refine(oneOf, EXACTLY_ONE),
  document: document.refine(oneOf, EXACTLY_ONE),
  audio: z
    .strictObject({ ...asset, voice: z.boolean().exactOptional() })
    .refine(oneOf, EXACTLY_ONE),
  sticker: z.strictObject(asset).refine(oneOf, EXACTLY_ONE),
  location,
  contacts: z.array(contact).min(1).max(257),
  reaction: z.strictObject({
    message_id: required(),
    emoji: z
      .string()
      .refine((emoji) => emoji === "" || isEmoji(emoji), "must be one emoji, or empty"),
  }),
};
