import type { Media } from "../channel.ts";
import { storableText } from "../storable-text.ts";
import { formInWords } from "./describe-form.ts";
import { type Fields, fieldsOf, isFields, keyOf, listOf, textOf } from "./storable-json.ts";

/** A message in words: what an assistant and an operator read of it. */
export interface Described {
  type: string;
  body: string;
  media: Media[];
  /** It calls for no answer. */
  silent?: true;
}

/**
 * Puts a message into words, whatever it consists of. Words of the customer stand as they are, so
 * that a button that says STOP is STOP; what the gateway says about a message is in brackets
 * (https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages).
 *
 * @param message one item of `messages[]`
 */
export function describeMessage(message: Fields): Described {
  const type = textOf(message["type"]) ?? "";
  const described = KINDS.get(type)?.(message);
  if (described) return { type, media: [], ...described };
  return { type: type === "unsupported" ? type : "unknown", body: UNREADABLE, media: [] };
}

const UNREADABLE = "[a message of a kind that cannot be shown]";

type Kind = (message: Fields) => Partial<Described> & { body: string };
/** Null: it is not what its type says. */
type Attempt = (message: Fields) => (Partial<Described> & { body: string }) | null;

const KINDS: ReadonlyMap<string, Attempt> = new Map<string, Attempt>([
  ["text", plainText],
  ["image", media("image")],
  ["video", media("video")],
  ["audio", media("audio")],
  // Its name before voice messages became audio with a mark.
  ["voice", (message) => ({ ...media("voice")(message), type: "audio" })],
  ["document", media("document")],
  ["sticker", media("sticker")],
  ["location", location],
  ["contacts", contacts],
  ["interactive", interactive],
  ["button", button],
  ["reaction", reaction],
  ["order", order],
  ["system", system],
  ["edit", edit],
  ["revoke", () => ({ body: "[a message was deleted]", silent: true })],
  ["request_welcome", () => ({ body: "[the chat was opened for the first time]" })],
]);

function plainText(message: Fields): { body: string } | null {
  const { body } = fieldsOf(message["text"]);
  return typeof body === "string" ? { body } : null;
}

// The code of a medium that Meta itself could not get; asking for it counts as an error of ours.
const NOT_THERE = "131052";

function media(type: string): Kind {
  return (message) => {
    const content = fieldsOf(message[type]);
    const id = keyOf(content["id"]);
    const errors = listOf(message["errors"]).map((error) => textOf(fieldsOf(error)["code"]));
    const caption = textOf(content["caption"]) ?? "";
    if (id === null || errors.includes(NOT_THERE)) {
      return { body: `${caption} [${type} that could not be received]`.trimStart() };
    }
    const filename = type === "document" && caption === "" ? textOf(content["filename"]) : null;
    return {
      body: filename === null ? caption : brackets("document", [filename]),
      media: [
        {
          url: `media:${id}`,
          contentType: textOf(content["mime_type"]) ?? UNTOLD_CONTENT,
        },
      ],
    };
  };
}

const UNTOLD_CONTENT = "application/octet-stream";

function location(message: Fields): { body: string } | null {
  const place = fieldsOf(message["location"]);
  const parts = [place["latitude"], place["longitude"], place["name"], place["address"]];
  return parts.every((part) => textOf(part) === null)
    ? null
    : { body: brackets("location", parts.map(textOf)) };
}

function contacts(message: Fields): { body: string } | null {
  const cards = listOf(message["contacts"]).filter(isFields);
  if (cards.length === 0) return null;
  return {
    body: brackets(cards.length === 1 ? "contact" : "contacts", cards.flatMap(cardInWords)),
  };
}

function cardInWords(card: Fields): (string | null)[] {
  const name = fieldsOf(card["name"]);
  const numbers = listOf(card["phones"]).map((phone) => {
    const { phone: written, wa_id: id } = fieldsOf(phone);
    return textOf(written) ?? textOf(id);
  });
  const mails = listOf(card["emails"]).map((email) => textOf(fieldsOf(email)["email"]));
  return [
    textOf(name["formatted_name"]) ?? textOf(name["first_name"]),
    textOf(fieldsOf(card["org"])["company"]),
    ...numbers,
    ...mails,
  ];
}

function interactive(message: Fields): { body: string } | null {
  const content = fieldsOf(message["interactive"]);
  const form = content["nfm_reply"];
  const permission = textOf(fieldsOf(content["call_permission_reply"])["response"]);
  return (
    words(fieldsOf(content["button_reply"])["title"]) ??
    words(fieldsOf(content["list_reply"])["title"]) ??
    (isFields(form) ? { body: brackets("form", formInWords(form)) } : null) ??
    (permission === null ? null : { body: brackets("permission to call", [permission]) })
  );
}

function button(message: Fields): { body: string } | null {
  const content = fieldsOf(message["button"]);
  return words(content["text"]) ?? words(content["payload"]);
}

function reaction(message: Fields): Partial<Described> & { body: string } {
  // Taken back, it comes without an emoji, or with an empty one.
  const emoji = textOf(fieldsOf(message["reaction"])["emoji"]);
  return { body: emoji === null ? "[reaction taken back]" : `[reaction: ${emoji}]`, silent: true };
}

function order(message: Fields): { body: string } | null {
  if (!isFields(message["order"])) return null;
  const { product_items: items, text: note } = message["order"];
  const products = listOf(items).map((item) => {
    const { product_retailer_id: product, quantity, item_price: price, currency } = fieldsOf(item);
    const name = textOf(product);
    if (name === null) return null;
    const cost = textOf(price) === null ? "" : ` at ${textOf(price)} ${textOf(currency) ?? ""}`;
    return `${textOf(quantity) ?? "1"} × ${name}${cost.trimEnd()}`;
  });
  return { body: brackets("order", [...products, textOf(note)]) };
}

function system(message: Fields): Partial<Described> & { body: string } {
  const said = textOf(fieldsOf(message["system"])["body"]);
  return {
    body: said === null ? "[a change of the account]" : `[${shortened(said)}]`,
    silent: true,
  };
}

function edit(message: Fields): (Partial<Described> & { body: string }) | null {
  const edited = fieldsOf(fieldsOf(message["edit"])["message"]);
  const { body, media: attached } = describeMessage(edited);
  return body === UNREADABLE ? null : { body: brackets("edited", [body]), media: attached };
}

function words(value: unknown): { body: string } | null {
  const told = textOf(value);
  return told === null ? null : { body: told };
}

// Nobody reads more of a form or a list than that, and a model is paid by the word. The payload
// keeps all of it.
const LONGEST_IN_BRACKETS = 2000;

function brackets(kind: string, parts: (string | null)[]): string {
  const told = parts.filter((part) => part !== null && part !== "").join(", ");
  return told === "" ? `[${kind}]` : `[${kind}: ${shortened(told)}]`;
}

function shortened(text: string): string {
  return text.length <= LONGEST_IN_BRACKETS
    ? text
    : // The cut may have halved an emoji.
      `${storableText(text.slice(0, LONGEST_IN_BRACKETS))}…`;
}
