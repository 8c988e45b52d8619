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
 * - `rejected`: the provider has refused it for good; `scope` says what is refused with it.
 * - `unavailable`: certainly nothing was sent; trying again is safe.
 * - `unknown`: it may or may not have been sent. Never send it again without evidence.
 */
export type SendOutcome =
  | { kind: "accepted"; providerId: string }
  | { kind: "rejected"; code: string; scope: RejectionScope }
  | { kind: "unavailable"; code: string; retryAfterMs?: number }
  | { kind: "unknown"; code: string };

/**
 * What a refusal is about. The last four are about us, not about the text: what they cover waits
 * until a human has acted.
 */
export type RejectionScope =
  /** This number cannot be reached. */
  | "recipient"
  /** This person wants no texts from this sender. */
  | "opt-out"
  /** This text will not be taken. */
  | "content"
  | "other"
  /** Nothing from this account passes. */
  | "account"
  /** Nothing from this number of ours passes. */
  | "sender"
  /** Nothing to the recipient's country passes. */
  | "region"
  /** A trial account: nothing to this recipient passes. */
  | "unverified-recipient";

/** What a provider says later about a text of ours. */
export interface Receipt {
  provider: string;
  providerMessageId: string;
  /** Our own id, when it travelled with the send. */
  messageId: string | null;
  /** SENT also stands for every earlier state: whoever reports on a text has accepted it. */
  status: "SENT" | "DELIVERED" | "READ" | "FAILED";
  /** Why, of a FAILED one. */
  code: string | null;
}

export type ReceiptResult = { ok: true; receipt: Receipt } | { ok: false; problems: string[] };

/** A question to the provider's own log. `failed`: no or no complete answer, so nothing is known. */
export type LogResult<T> = { kind: "complete"; found: T[] } | { kind: "failed"; code: string };

/** An inbound message in the provider's own log. */
export interface LoggedInbound extends InboundMessage {
  receivedAt: Date;
}

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

  /** Reads a receipt. Our own id is in the URL's query (`m`). Never throws. */
  parseReceipt(request: Pick<WebhookRequest, "url" | "params">): ReceiptResult;

  /** Absent where the provider cannot be asked about its messages. */
  readonly log?: ProviderLog;
}

/** What the provider itself has recorded. Nothing here throws. */
export interface ProviderLog {
  /** The provider's ids of texts it has accepted from us with these words since then, oldest first. */
  accepted(
    text: { from: string; to: string; body: string; since: Date },
    signal: AbortSignal,
  ): Promise<LogResult<string>>;

  /** Inbound messages it has received since then, oldest first. */
  received(since: Date, signal: AbortSignal): Promise<LogResult<LoggedInbound>>;
}
