import { createHmac } from "node:crypto";
import type { WebhookRequest } from "../channel.ts";
import type { WebhookFixtures } from "./describe-webhook.ts";

export const OUR_NUMBER = "106540352242922";
export const ACCOUNT = "102290129340398";
export const CUSTOMER = "447400123456";

/** A body as Meta writes it: JSON in ASCII, with more escapes than JSON needs. */
export function written(document: unknown): Buffer {
  return Buffer.from(
    JSON.stringify(document)
      .replaceAll("/", "\\/")
      .replaceAll("<", "\\u003C")
      .replaceAll("%", "\\u0025")
      .replaceAll("@", "\\u0040")
      .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

/** An envelope around changes of one account. */
export function enveloped(...changes: unknown[]) {
  return { object: "whatsapp_business_account", entry: [{ id: ACCOUNT, changes }] };
}

/** A change of the field `messages`. */
export function change(value: Record<string, unknown>) {
  const metadata = { display_phone_number: "15550783881", phone_number_id: OUR_NUMBER };
  return { field: "messages", value: { messaging_product: "whatsapp", metadata, ...value } };
}

/** A customer's message; a plain text unless told otherwise. */
export function message(more: Record<string, unknown> = {}) {
  return {
    from: CUSTOMER,
    id: "wamid.HBgLTEST",
    timestamp: "1795262400",
    type: "text",
    text: { body: "Hello" },
    ...more,
  };
}

/** What became of a message of ours. */
export function status(word: string, more: Record<string, unknown> = {}) {
  return {
    id: "wamid.OUT",
    status: word,
    timestamp: "1795262400",
    recipient_id: CUSTOMER,
    ...more,
  };
}

/** A request to our address. */
export function called(rawBody: Buffer, headers: Record<string, string>): WebhookRequest {
  const url = "https://gateway.example/api/v1/whatsapp/webhook";
  return { url, headers, rawBody, params: {} };
}

/** A request as Meta signs it. */
export function signedByMeta(secret: string, rawBody: Buffer): WebhookRequest {
  return called(rawBody, { "x-hub-signature-256": `sha256=${hmac(secret, rawBody)}` });
}

export function hmac(secret: string, rawBody: Buffer): string {
  return createHmac("sha256", secret).update(rawBody).digest("hex");
}

const TEXT = written(enveloped(change({ messages: [message()] })));
const FOREIGN = written(
  enveloped(
    change({ messages: [message({ text: { body: "Où ? a/b <c> 100% a@b.example 🔧" } })] }),
  ),
);

/**
 * What the conformance suite needs to know about a channel whose webhooks are Meta's.
 *
 * @param appSecrets every one of those the channel was given
 */
export function metaFixtures(appSecrets: string[], verifyToken: string): WebhookFixtures {
  const [secret = ""] = appSecrets;
  const signed = (body: Buffer) => signedByMeta(secret, body);
  const received = (of: Record<string, unknown>) => written(enveloped(change(of)));
  const receipt = (word: string, code: string | null, more = {}) => ({
    bodyWith: (ownId: string) =>
      received({ statuses: [status(word, { biz_opaque_callback_data: ownId, ...more })] }),
    id: "wamid.OUT",
    code,
  });
  return {
    genuine: {
      "a text": signed(TEXT),
      "what Meta escapes": signed(FOREIGN),
      "a body that is no JSON": signed(Buffer.from([0xff, 0x00, 0x7b])),
      ...Object.fromEntries(
        appSecrets.map((each, index) => [`with secret ${index + 1}`, signedByMeta(each, TEXT)]),
      ),
    },
    forged: {
      "a wrong secret": signedByMeta("guessed", TEXT),
      "an empty secret": signedByMeta("", TEXT),
      "a changed body": { ...signed(TEXT), rawBody: FOREIGN },
      "an empty body": { ...signed(TEXT), rawBody: Buffer.alloc(0) },
      "the same document written otherwise": {
        ...signed(FOREIGN),
        rawBody: Buffer.from(JSON.stringify(JSON.parse(FOREIGN.toString()))),
      },
      "an empty signature": called(TEXT, { "x-hub-signature-256": "" }),
      "a signature without its scheme": called(TEXT, { "x-hub-signature-256": hmac(secret, TEXT) }),
      "half a signature": called(TEXT, {
        "x-hub-signature-256": `sha256=${hmac(secret, TEXT).slice(0, 32)}`,
      }),
      "a signature that is not hexadecimal": called(TEXT, {
        "x-hub-signature-256": `sha256=${"ü".repeat(64)}`,
      }),
      "the older signature": called(TEXT, { "x-hub-signature": `sha256=${hmac(secret, TEXT)}` }),
    },
    inbound: {
      "a text": {
        body: TEXT,
        message: {
          providerMessageId: "wamid.HBgLTEST",
          accountId: ACCOUNT,
          from: "+447400123456",
          ids: { phone: "+447400123456", userId: null },
          to: OUR_NUMBER,
          type: "text",
          body: "Hello",
          media: [],
          sentAt: new Date("2026-11-21T12:00:00Z"),
        },
      },
      "what Meta escapes": {
        body: FOREIGN,
        message: { body: "Où ? a/b <c> 100% a@b.example 🔧" },
      },
      "of somebody without a number": {
        body: received({
          messages: [message({ from: "", from_user_id: "US.13491208655302741918" })],
        }),
        message: {
          from: "US.13491208655302741918",
          ids: { phone: null, userId: "US.13491208655302741918" },
        },
      },
    },
    withoutReceiver: written(enveloped({ field: "messages", value: { messages: [message()] } })),
    receipts: {
      SENT: receipt("sent", null),
      DELIVERED: receipt("delivered", null),
      READ: receipt("read", null),
      FAILED: receipt("failed", "131026", { errors: [{ code: 131026 }] }),
    },
    malformed: {
      nothing: { body: Buffer.alloc(0), problems: ["body"] },
      "no JSON": { body: Buffer.from("object=whatsapp"), problems: ["body"] },
      "no object": { body: Buffer.from("[]"), problems: ["body"] },
      "an object without anything": { body: Buffer.from("{}"), problems: ["object", "entry"] },
      "another product": {
        body: Buffer.from('{"object":"page","entry":[]}'),
        problems: ["object"],
      },
      "no entries": {
        body: Buffer.from('{"object":"whatsapp_business_account","entry":{}}'),
        problems: ["entry"],
      },
    },
    challenge: {
      query: {
        "hub.mode": "subscribe",
        "hub.verify_token": verifyToken,
        "hub.challenge": "1158201444",
      },
      answer: "1158201444",
      wrong: {
        "hub.mode": "unsubscribe",
        "hub.verify_token": "guessed",
      },
    },
  };
}
