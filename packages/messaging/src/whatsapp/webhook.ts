import type { ChannelWebhook, WebhookRequest } from "../channel.ts";
import { readWebhook } from "./read-webhook.ts";
import { isOneOf } from "./verify.ts";

/** How one provider of WhatsApp calls us. */
export interface MetaWebhookOptions {
  provider: string;
  /** Whether the provider made this request. */
  authenticate: (request: WebhookRequest) => boolean;
  /** What the provider must present when it asks whether the address is ours. */
  verifyTokens: readonly string[] | undefined;
  /** Our phone_number_id, for unsigned requests that name none. */
  defaultTo: string | undefined;
  /** What is missing for it to work, in words for the founder. */
  problems: readonly string[];
}

/** The one address of WhatsApp: Meta's envelope, which 360dialog passes on as it is. */
export function metaWebhook(options: MetaWebhookOptions): ChannelWebhook {
  return {
    path: "/api/v1/whatsapp/webhook",
    movedFrom: ["/whatsapp/webhook"],
    problems: options.problems,
    defaultTo: options.defaultTo,
    verify: options.authenticate,
    challenge: (query) => answerChallenge(query, options.verifyTokens ?? []),
    read: (rawBody, defaults) => readWebhook(rawBody, options.provider, defaults),
  };
}

// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint
function answerChallenge(query: URLSearchParams, tokens: readonly string[]): string | null {
  if (query.get("hub.mode") !== "subscribe") return null;
  if (!isOneOf(query.get("hub.verify_token") ?? "", tokens)) return null;
  return query.get("hub.challenge");
}
