import type { WebhookResult } from "../deliver-webhook.ts";
import type { NumberNames } from "./envelope.ts";
import type { WhatsAppNumber } from "./account.ts";
import type { WhatsAppMedia } from "./media.ts";
import type { WebhookRetry } from "./post-webhook.ts";
import type { WhatsAppFilter, WhatsAppRead, WhatsAppSend } from "./send-log.ts";
import type { WebhookSecrets, WebhookSignature } from "./signed-body.ts";

export interface WhatsAppOptions {
  /** Digits. Default 106540352242922. */
  phoneNumberId?: string;
  /** Digits. */
  displayPhoneNumber?: string;
  accessToken?: string;
  /** Selects the number at 360dialog. */
  apiKey?: string;
  appSecret?: string;
  verifyToken?: string;
  webhookSecret?: string;
  /** Where webhooks go, without asking it first; `setWebhook` asks. */
  webhookUrl?: string;
  /** How webhooks are signed; default as Meta does. */
  signature?: WebhookSignature;
  /** Default: not at all. */
  retry?: WebhookRetry;
  /** Everybody counts as having written lately: for a gateway that is also written to without the simulator. */
  windowsStayOpen?: boolean;
  /** The clock, ms since 1970. */
  now?: () => number;
}

/** What may differ for one webhook. */
export interface DeliveryOptions {
  webhookUrl?: string;
  signature?: WebhookSignature;
  retry?: WebhookRetry;
  /** The business number's id; default the first. One that the account has not is taken as it is. */
  to?: string;
}

/** A text from a person. At least one of `from` and `userId` is there. */
export interface WhatsAppText extends DeliveryOptions {
  /** E.164. Absent for a person who withholds it. */
  from?: string;
  userId?: string;
  /** The profile name. */
  name?: string;
  body: string;
  /** Default: a new one. The same again is a repeat. */
  id?: string;
}

/** The Meta side of the simulator: a business account whose numbers people write to. */
export interface WhatsApp extends NumberNames, WebhookSecrets {
  /** The value for WHATSAPP_API_URL, for the Cloud API as well as 360dialog. */
  readonly apiUrl: string;
  readonly accessToken: string;
  readonly apiKey: string;
  readonly verifyToken: string;
  /** Gives the account another number, with a key of its own for 360dialog, or changes the names of one it has. */
  addNumber(names: NumberNames): WhatsAppNumber;
  /** The account's numbers, in the order they were added. */
  numbers(): WhatsAppNumber[];
  /**
   * Asks the address as Meta does, then sends webhooks there. 360dialog's are set without asking.
   * Throws RangeError when it does not answer with the challenge.
   */
  setWebhook(url: string): Promise<void>;
  /** Writes to the gateway. */
  text(text: WhatsAppText): Promise<WebhookResult & { id: string }>;
  /** Several messages in one webhook, in Meta's form or in none: what is given is what is posted. */
  send(messages: unknown[], options?: DeliveryOptions): Promise<WebhookResult>;
  /**
   * Several statuses in one webhook, in Meta's form. What one does not name is filled in: the time, and of a message
   * the simulator accepted, who got it and what came with it.
   */
  statuses(statuses: object[], options?: DeliveryOptions): Promise<WebhookResult>;
  /** A webhook of another field than `messages`. */
  notice(field: string, value: unknown, options?: DeliveryOptions): Promise<WebhookResult>;
  /** An envelope with these entries, whatever they are. Opens no window. */
  deliver(entries: unknown[], options?: DeliveryOptions): Promise<WebhookResult>;
  /** Something a message can have attached: the returned fields go into it. */
  addMedia(content: Buffer, contentType: string): WhatsAppMedia;
  /** As if the person had not written for 24 hours; until they write again, only templates reach them. */
  closeWindow(person: string): void;
  /** As if the person had just written to this number (default the first), unseen by the gateway. */
  openWindow(person: string, phoneNumberId?: string): void;
  /** Messages accepted for people, in order of acceptance. */
  sent(filter?: WhatsAppFilter): WhatsAppSend[];
  /** Resolves when `count` messages match, earlier ones included; after `timeoutMs` (5000) rejects with what it saw. */
  waitForSent(count: number, filter?: WhatsAppFilter, timeoutMs?: number): Promise<WhatsAppSend[]>;
  /** What was marked read, in order. */
  reads(): WhatsAppRead[];
  waitForReads(count: number, timeoutMs?: number): Promise<WhatsAppRead[]>;
  /** Calls back for each accepted message until the returned function is called. */
  onSent(listener: (send: WhatsAppSend) => void): () => void;
}
