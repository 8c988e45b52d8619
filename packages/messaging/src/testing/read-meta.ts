import type { InboundMessage, WebhookItem } from "../channel.ts";
import { readWebhook } from "../whatsapp/read-webhook.ts";
import { change, enveloped, message, written } from "./meta-webhooks.ts";

/** Everything read from one change of the field `messages`. */
export function itemsOf(value: Record<string, unknown>): WebhookItem[] {
  return itemsIn(written(enveloped(change(value))));
}

/** Everything read from a body. */
export function itemsIn(body: Buffer): WebhookItem[] {
  const result = readWebhook(body, "whatsapp-cloud");
  if (!result.ok) throw new Error(result.problems.join());
  return result.items;
}

/** The message of a change with only that item. */
export function read(item: unknown, beside: Record<string, unknown> = {}): InboundMessage {
  const [first] = itemsOf({ messages: [item], ...beside });
  if (first?.kind !== "message") throw new Error(`It is ${first?.kind}`);
  return first.message;
}

/** A message of another type than text. */
export function of(type: string, more: Record<string, unknown>) {
  const { text: _text, ...others } = message();
  return { ...others, type, ...more };
}
