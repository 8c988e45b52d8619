/** A way in and out, such as `sms`. Several providers may carry one channel, one of them at a time. */
export type ChannelName = string;

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

/** What a provider says about who somebody is. At least one of the two is there. */
export interface PersonIds {
  /** E.164 with "+". */
  phone: string | null;
  /** The provider's own id of a person, for those who may be known without a number. */
  userId: string | null;
  /** Ids by which the same person was known until now. */
  formerly?: { phone: string | null; userId: string | null };
}

/** Something attached to a message. */
export interface Media {
  /** Where the provider keeps it: an address, or its own reference. */
  url: string;
  contentType: string;
}

/** A customer's text as every channel reports it. */
export interface InboundMessage {
  channel: ChannelName;
  provider: string;
  /** The provider's own id of the message: what makes a repeated webhook a duplicate. */
  providerMessageId: string;
  /** The provider account that received it; empty when the provider did not say. */
  accountId: string;
  /** Where an answer goes: E.164 with "+", a short code or an alphanumeric sender as given, or a user id. */
  from: string;
  /** Who that is. Absent: known by `from` alone. */
  ids?: PersonIds;
  /** What the provider calls our number: E.164 with "+", or an id of its own. */
  to: string;
  /** What it consists of. Absent: `text`. */
  type?: string;
  /**
   * Storable text: no NUL, no lone surrogates. What else it consists of is put into words, so that
   * whoever reads the words alone knows. Empty for media without a caption.
   */
  body: string;
  media: Media[];
  /** What the words do not say, in the provider's own form. */
  payload?: unknown;
  /** True of what calls for no answer: a reaction, a change of number. */
  silent?: boolean;
  /** When it was sent, of a provider that says so. */
  sentAt?: Date;
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
  /** What else than words it consists of, as the channel's `readContent` returned it. */
  content?: { type: string; payload: unknown };
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
  | Unavailable
  | { kind: "unknown"; code: string };

export interface Unavailable {
  kind: "unavailable";
  code: string;
  retryAfterMs?: number;
  /** The provider is there for others: it is this number of ours, or this recipient, that must wait. */
  about?: "sender" | "recipient";
  /** Instead of the usual schedule: this to the power of the failures so far, seconds. */
  waitBaseSeconds?: number;
}

/**
 * What a refusal is about. The last four are about us, not about the text: what they cover waits
 * until a human has acted.
 */
export type RejectionScope =
  /** This number cannot be reached. */
  | "recipient"
  /** This person wants no texts from this sender. */
  | "opt-out"
  /** This person wants no campaigns; answers are welcome. */
  | "marketing-opt-out"
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
  /** Of a FAILED one whose reason is about more than this text: what it holds for. */
  scope?: RejectionScope;
  /** What a FAILED one says about the recipient's wishes. */
  optOut?: "all" | "marketing";
  /** Of a message to a group: whose receipt this is. */
  participant?: string;
}

/** What a provider says that is not about one message: a restriction, a template, a quality. */
export interface ProviderNotice {
  provider: string;
  channel: ChannelName;
  /** The account or number it is about, as the provider calls it. */
  accountId: string;
  /** The provider's name for this kind of notice. */
  field: string;
  /** The provider's own object. */
  payload: unknown;
  /** `stops`: less or nothing will be sent until something changes. `ends`: that is over. */
  effect: "none" | "stops" | "ends";
  /** Of one that stops or ends something: what it is about, and stable from one to the other. Nothing personal. */
  resource?: string;
  /** Of one that stops something: what a founder reads. Nothing personal. */
  summary?: string;
}

/** One thing a webhook reports. */
export type WebhookItem =
  | { kind: "message"; message: InboundMessage }
  /** From or to whom is unknown, so nobody can be answered; kept for the founder. */
  | {
      kind: "unroutable";
      providerMessageId: string;
      sender: string;
      receiver: string;
      payload: unknown;
    }
  | { kind: "receipt"; receipt: Receipt }
  | { kind: "notice"; notice: ProviderNotice };

export type WebhookResult = { ok: true; items: WebhookItem[] } | { ok: false; problems: string[] };

/** The one address at which a provider reports everything. A route is made of it. */
export interface ChannelWebhook {
  /** Path of the address, such as `/api/v1/…/webhook`. */
  readonly path: string;
  /** Old paths, answered with 410 and the new address. */
  readonly movedFrom: readonly string[];
  /** Whether the provider itself made this request. Never throws. */
  verify(request: WebhookRequest): boolean;
  /** The answer to the provider's question whether the address is ours; null: it is not for us. */
  challenge(query: URLSearchParams): string | null;
  /**
   * Reads everything in a request, in its order. One odd item never costs another. Never throws.
   *
   * @param defaults `to` stands in for a missing receiver
   */
  read(rawBody: Buffer, defaults?: { to?: string }): WebhookResult;
  /** Stands in for a missing receiver while signatures are off. */
  readonly defaultTo?: string | undefined;
  /** What is missing for it to work, in words for the founder; empty when nothing is. */
  readonly problems: readonly string[];
}

/** A message other than plain words, or words, made fit to be sent. */
export interface Content {
  type: string;
  /** What the provider is given; absent for plain words. */
  payload?: unknown;
  /** It in words: what the history shows. Of plain words, the words as they will be sent. */
  body: string;
  segments: number;
}

export type ContentResult =
  | { ok: true; content: Content }
  /** `field`: path within the input, such as `interactive.action.buttons.0.reply.title`. */
  | { ok: false; problems: { field: string; message: string }[] };

/** Something fetched from a provider, or why not. `gone`: no later try will succeed. */
export type MediaResult =
  | { kind: "fetched"; content: Buffer; contentType: string }
  | { kind: "gone"; code: string }
  | { kind: "unavailable"; code: string };

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
  /** `deferred`: webhooks are acknowledged as soon as their messages are stored, and answered by workers. */
  readonly processing: "sync" | "deferred";
  /** What one of our numbers may send: segments per second, and how many seconds' worth at once. */
  readonly rate: { perSecond: number; burstSeconds: number };
  /** Whether the provider itself answers STOP and START, so that an answer of ours would be a second one. */
  readonly answersKeywords: boolean;
  /** Whether a message to a number of nobody's here is ours to answer: then no other application has the number. */
  readonly ownsEveryNumber: boolean;
  /** Free-form messages go only within this time after the customer's last message. Absent: always. */
  readonly windowMs?: number;

  /** One attempt, with its own time limit and no retry. Never throws: a failure is an outcome. */
  send(message: OutboundMessage, signal: AbortSignal): Promise<SendOutcome>;

  /** Makes any words fit to be sent: what cannot be sent is left out, what is too long is cut. */
  fitText(words: string): { text: string; segments: number };

  /**
   * Checks what a person wants to send, before it is queued.
   *
   * @param input `{ type, [type]: … }`
   */
  readContent(input: { type: string; [field: string]: unknown }): ContentResult;

  /** Absent where everything arrives at addresses of its own (see FormWebhooks). */
  readonly webhook?: ChannelWebhook;

  /** Absent where the provider cannot be asked about its messages. */
  readonly log?: ProviderLog;

  /** Shows the customer that their message was read and is being answered. Best effort: never throws. */
  showReading?(
    message: { providerMessageId: string; to: string },
    signal: AbortSignal,
  ): Promise<void>;

  /** Fetches what was attached to a message. Absent where it is public. Never throws. */
  fetchMedia?(reference: string, signal: AbortSignal): Promise<MediaResult>;
}

/** A provider that calls an address per purpose, with form parameters. */
export interface FormWebhooks {
  /** Whether the provider itself made this request, for our account. Never throws. */
  verify(request: WebhookRequest): boolean;

  /** Reads an inbound message. `defaults.to` stands in for a missing receiver. Never throws. */
  parse(params: WebhookRequest["params"], defaults?: { to?: string }): ParseResult;

  /** Reads a receipt. Our own id is in the URL's query (`m`). Never throws. */
  parseReceipt(request: Pick<WebhookRequest, "url" | "params">): ReceiptResult;
}

/** Whether a channel's provider calls an address per purpose. */
export function takesForms(channel: Channel): channel is Channel & FormWebhooks {
  return "parse" in channel;
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
