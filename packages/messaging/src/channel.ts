/** A way in and out. Several providers may carry one channel, one of them at a time. */
export type ChannelName = "sms" | "whatsapp";

/** One call of a provider to one of our webhooks, free of any HTTP framework. */
export interface WebhookRequest {
  /** The full public URL with its query, exactly as the provider called it. */
  url: string;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  rawBody: Buffer;
  /** The decoded form; a repeated parameter is an array. */
  params: Record<string, string | string[]>;
}

/** A customer's text as every channel reports it. */
export interface InboundMessage {
  channel: ChannelName;
  provider: string;
  /** The provider's own id of the message: what makes a repeated webhook a duplicate. */
  providerMessageId: string;
  /** The provider account that received it; empty when the provider did not say. */
  accountId: string;
  /** E.164 with "+", or a short code or an alphanumeric sender as given. */
  from: string;
  /** Like `from`. */
  to: string;
  /** Storable text: no NUL, no lone surrogates. Empty for media without a caption. */
  body: string;
  media: { url: string; contentType: string }[];
}

/** What a webhook's parameters amount to. Problems name fields, never their values. */
export type ParseResult = { ok: true; message: InboundMessage } | { ok: false; problems: string[] };

/** A text to hand to a provider. */
export interface OutboundMessage {
  /** Our own UUID. It travels with the send so that a receipt can prove the acceptance. */
  id: string;
  from: string;
  to: string;
  body: string;
  /** After this many seconds the provider gives up instead of delivering late. */
  validitySeconds?: number;
}

/**
 * What is known after one attempt to send.
 *
 * - `accepted`: the provider has the message and named it.
 * - `rejected`: the provider has refused it for good; `scope` says what to stop.
 * - `unavailable`: certainly nothing was sent; trying again is safe.
 * - `unknown`: it may or may not have been sent. Never send it again without evidence.
 */
export type SendOutcome =
  | { kind: "accepted"; providerId: string }
  | {
      kind: "rejected";
      code: string;
      scope: "recipient" | "opt-out" | "content" | "account" | "other";
    }
  | { kind: "unavailable"; code: string; retryAfterMs?: number }
  | { kind: "unknown"; code: string };

/** One provider carrying one channel. `describeChannel` in `./testing` says when it is complete. */
export interface Channel {
  readonly name: ChannelName;
  readonly provider: string;

  /** Whether the provider itself made this request, for our account. Never throws. */
  verify(request: WebhookRequest): boolean;

  /** Reads an inbound message. `defaults.to` stands in for a missing receiver. Never throws. */
  parse(params: WebhookRequest["params"], defaults?: { to?: string }): ParseResult;

  /** One attempt, with its own time limit and no retry. Never throws: a failure is an outcome. */
  send(message: OutboundMessage, signal: AbortSignal): Promise<SendOutcome>;
}
