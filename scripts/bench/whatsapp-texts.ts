import { randomBytes } from "node:crypto";
import {
  messagesEntry,
  serializeAsMeta,
  signatureHeaders,
  whatsAppNumber,
} from "@jobrun/simulator";
import type { Webhook } from "./load.ts";

const FIRST_CUSTOMER = 447_600_000_000;

/** An endless supply of Meta's webhooks, each message from a customer of its own: each calls for one reply. */
export class WhatsAppTexts {
  static readonly path = "/api/v1/whatsapp/webhook";
  readonly #secrets: { appSecret: string; webhookSecret: string };
  #count = 0;

  constructor({ appSecret }: { appSecret: string }) {
    this.#secrets = { appSecret, webhookSecret: "" };
  }

  /** A source of webhooks with so many messages each. */
  batchesOf(size: number): { next: () => Webhook } {
    return { next: () => this.#webhook(size) };
  }

  #webhook(size: number): Webhook {
    const messages = Array.from({ length: size }, () => this.#message());
    const body = serializeAsMeta({
      object: "whatsapp_business_account",
      entry: [messagesEntry(whatsAppNumber, messages, "Customer")],
    });
    return {
      path: WhatsAppTexts.path,
      body,
      headers: {
        "content-type": "application/json",
        ...signatureHeaders("x-hub-signature-256", body, this.#secrets),
      },
    };
  }

  #message(): object {
    const index = this.#count++;
    return {
      from: String(FIRST_CUSTOMER + index),
      id: `wamid.${randomBytes(36).toString("base64")}`,
      timestamp: String(Math.floor(Date.now() / 1000)),
      text: { body: `My kitchen tap drips, can somebody come this week? (${index})` },
      type: "text",
    };
  }
}
