import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { handleAdmin } from "./admin-api.ts";
import { BoundedLog } from "./bounded-log.ts";
import type { CallStatus } from "./call-params.ts";
import { deliverWebhook } from "./deliver-webhook.ts";
import type { WebhookResult } from "./deliver-webhook.ts";
import { FaultSwitch } from "./faults.ts";
import type { Faults } from "./faults-schema.ts";
import { sendJson, UnreadableRequest } from "./http.ts";
import { inboundParams } from "./inbound-params.ts";
import { MessageLog } from "./message-log.ts";
import type { LoggedMessage, MessageFilter, SentMessage } from "./message-log.ts";
import { createMetaSide } from "./meta/meta-side.ts";
import type { WhatsApp, WhatsAppOptions } from "./meta/whats-app.ts";
import { newSid } from "./new-sid.ts";
import { NumberBook } from "./numbers.ts";
import type { NumberWebhooks, SimulatedNumber } from "./numbers.ts";
import { handleChatCompletion } from "./openai-api.ts";
import type { ModelCall } from "./openai-api.ts";
import { playCall } from "./play-call.ts";
import type { CallOutcome, CallResult } from "./play-call.ts";
import { sendReceipts } from "./send-receipts.ts";
import { handleTwilioApi } from "./twilio-api.ts";
import { voiceWebhooksOf, webhookOf } from "./webhook-of.ts";

export interface SimulatorOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  accountSid?: string;
  authToken?: string;
  openaiKey?: string;
  /** Numbers the account owns from the start, E.164, their webhooks not set. */
  numbers?: string[];
  whatsApp?: WhatsAppOptions;
}

/** A request to send that was answered with an error, and not taken. */
export interface Refusal {
  channel: "sms" | "whatsapp";
  /** As the request named them. */
  from: string;
  to: string;
  /** The provider's. */
  code: number;
  message: string;
}

/** A text from a person to the gateway. */
export interface PersonText {
  from: string;
  to: string;
  body: string;
  sid?: string;
  /**
   * May carry connection overrides in its fragment. Absent: what the number `to` is configured with, fallback URL
   * included.
   */
  webhookUrl?: string;
  fallbackUrl?: string;
  extra?: Record<string, string>;
}

/** A call from a person to a number of the gateway. */
export interface PersonCall {
  /** E.164, or what Twilio reports of a caller without a number: `anonymous`, a short code. */
  from: string;
  to: string;
  outcome: CallOutcome;
  sid?: string;
  /** With `voiceUrl` or `statusUrl` the number's own configuration does not count. */
  voiceUrl?: string;
  statusUrl?: string;
  /** The status callbacks, in this order, for a provider that tells more than the end, or repeats and reorders it. */
  statusCallbacks?: CallStatus[];
  extra?: Record<string, string>;
  /** Called back with each thing the caller is told, when it is said: the texts back may come before the call ends. */
  onSaid?: (text: string) => void;
}

export interface Simulator {
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly openaiKey: string;
  /** The value for TWILIO_API_BASE_URL. */
  readonly twilioUrl: string;
  /** The value for OPENAI_BASE_URL. */
  readonly openaiUrl: string;
  /** Meta's side: what it sent, and what people write. */
  readonly whatsApp: WhatsApp;
  /** Changes the named faults and leaves the others. */
  setFaults(faults: Partial<Faults>): void;
  /** Texts accepted for people, in order of acceptance, also between those of the same millisecond. */
  sent(filter?: MessageFilter): SentMessage[];
  /** Requests to the model, in the order they ended. */
  modelCalls(): ModelCall[];
  /** Resolves when `count` texts match, earlier ones included; after `timeoutMs` (20,000) rejects with what it saw. */
  waitForSent(count: number, filter?: MessageFilter, timeoutMs?: number): Promise<SentMessage[]>;
  /** Resolves when `count` model calls have ended; after `timeoutMs` (20,000) rejects with what it saw. */
  waitForModelCalls(count: number, timeoutMs?: number): Promise<ModelCall[]>;
  /** Calls back for each accepted text until the returned function is called. */
  onSent(listener: (message: SentMessage) => void): () => void;
  /** Calls back for each text or WhatsApp message that was not taken, until the returned function is called. */
  onRefused(listener: (refusal: Refusal) => void): () => void;
  /**
   * Texts the gateway: a signed webhook with Twilio's retries and fallback. The texts in the accepted answer count as
   * sent. Throws RangeError for a fragment Twilio does not accept, and without a `webhookUrl` for a number whose
   * webhook is not configured.
   */
  text(message: PersonText): Promise<WebhookResult>;
  /**
   * Calls a number of the gateway: its voice webhook, what that answers, then its status callback. Throws RangeError
   * for TwiML the simulator does not play, and as `text` does.
   */
  call(call: PersonCall): Promise<CallResult>;
  /**
   * Gives the account a number, or changes the named webhooks of one it has. Throws RangeError for what Twilio would
   * refuse.
   */
  addNumber(phoneNumber: string, webhooks?: Partial<NumberWebhooks>): SimulatedNumber;
  /** The account's numbers with their webhooks as they are now, in the order they were added. */
  numbers(): SimulatedNumber[];
  /**
   * Forgets messages, opt-outs and model calls, ends all faults and the receipts still to come. The numbers stay,
   * with their webhooks, and WhatsApp's: they are the account's configuration, not its traffic.
   */
  reset(): void;
  /** Stops listening, cuts all connections and running webhooks. */
  close(): Promise<void>;
}

/**
 * Starts doubles of Twilio, of Meta's WhatsApp and of an OpenAI-compatible endpoint on one port, with new secrets
 * unless given.
 * @throws when the port is taken
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const account = {
    accountSid: options.accountSid ?? `AC${"0".repeat(32)}`,
    authToken: options.authToken ?? randomBytes(16).toString("hex"),
  };
  const openaiKey = options.openaiKey ?? `sk-simulator-${randomBytes(16).toString("hex")}`;
  const messages = new MessageLog();
  const calls = new BoundedLog<ModelCall>();
  const faults = new FaultSwitch();
  const closing = new AbortController();

  const numbers = new NumberBook();
  for (const phoneNumber of options.numbers ?? []) numbers.add(phoneNumber, {});
  /** Aborted, and replaced, when what is still to come is to be forgotten. */
  let pending = new AbortController();

  const receipts = async (message: LoggedMessage): Promise<void> => {
    const plan = faults.current.receipts;
    if (plan === false) {
      message.status = "sent";
      return;
    }
    const sending = sendReceipts(account, message, plan === true ? {} : plan, pending.signal);
    // A receipt cut short by closing or a reset concerns nobody.
    sending.all.catch(() => undefined);
    await sending.first.catch(() => undefined);
  };
  const refusalListeners = new Set<(refusal: Refusal) => void>();
  const onRefused = (refusal: Refusal): void => {
    for (const listener of refusalListeners) listener(refusal);
  };
  const twilioApi = { account, messages, numbers, faults, sendReceipts: receipts, onRefused };
  const openAiApi = { openaiKey, calls, faults };

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      const { status, code, message } =
        error instanceof UnreadableRequest
          ? error
          : { status: 500, code: "simulator_failed", message: String(error) };
      sendJson(response, status, { error: { code, message } });
    });
  });
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://simulator");
    if (request.method === "POST" && url.pathname === "/openai/v1/chat/completions") {
      return handleChatCompletion(openAiApi, request, response);
    }
    if (await handleTwilioApi(twilioApi, request, response, url)) return;
    if (await meta.handle(request, response, url)) return;
    if (await handleAdmin(simulator, request, response, url)) return;
    const message = `${request.method} ${url.pathname}: see GET / for the routes`;
    sendJson(response, 404, { error: { code: "not_found", message } });
  };

  const host = options.host ?? "127.0.0.1";
  const url = `http://${host}:${await listen(server, options.port ?? 0, host)}`;
  const meta = createMetaSide(options.whatsApp ?? {}, url, faults, {
    closing: closing.signal,
    pending: () => pending.signal,
    onRefused,
  });

  const simulator: Simulator = {
    ...account,
    url,
    openaiKey,
    twilioUrl: url,
    openaiUrl: `${url}/openai/v1`,
    whatsApp: meta.whatsApp,
    setFaults: (changed) => faults.set(changed),
    sent: (filter) => messages.sent(filter),
    modelCalls: () => calls.all(),
    waitForSent: (count, filter = {}, timeoutMs = 20_000) =>
      messages.waitForSent(count, filter, timeoutMs),
    waitForModelCalls: (count, timeoutMs = 20_000) => calls.waitFor(count, () => true, timeoutMs),
    onSent: (listener) => messages.onSent(listener),
    onRefused: (listener) => {
      refusalListeners.add(listener);
      return () => refusalListeners.delete(listener);
    },
    text: async ({ webhookUrl, fallbackUrl, ...message }) => {
      const sid = message.sid ?? newSid();
      const { from, to, body } = message;
      const urls =
        webhookUrl === undefined
          ? webhookOf(numbers, to)
          : { webhookUrl, ...(fallbackUrl === undefined ? {} : { fallbackUrl }) };
      messages.receive({ sid, from, to, body });
      if (faults.current.webhooks === "lost") return { attempts: [], final: null };
      const { result, replies } = await deliverWebhook({
        ...urls,
        params: inboundParams({ ...message, sid, accountSid: account.accountSid }),
        authToken: account.authToken,
        signal: closing.signal,
      });
      for (const reply of replies) {
        const ends = { from: reply.from ?? to, to: reply.to ?? from };
        if (messages.isOptedOut(ends.to, ends.from)) continue;
        messages.accept({
          ...ends,
          body: reply.body,
          statusCallback: null,
          validityPeriod: null,
          direction: "outbound-reply",
        });
      }
      return result;
    },
    call: async ({ voiceUrl, statusUrl, ...call }) => {
      const own = voiceUrl === undefined && statusUrl === undefined;
      const urls = own
        ? voiceWebhooksOf(numbers, call.to)
        : { voiceUrl: voiceUrl ?? null, statusUrl: statusUrl ?? null };
      const lost = faults.current.webhooks === "lost";
      return playCall({
        ...call,
        ...(lost ? { voiceUrl: null, statusUrl: null } : urls),
        sid: call.sid ?? newSid("CA"),
        ...account,
        signal: closing.signal,
      });
    },
    addNumber: (phoneNumber, webhooks = {}) => ({ ...numbers.add(phoneNumber, webhooks) }),
    numbers: () => numbers.all().map((number) => ({ ...number })),
    reset: () => {
      pending.abort();
      pending = new AbortController();
      messages.clear();
      meta.clear();
      calls.clear();
      faults.clear();
    },
    close: () => {
      closing.abort();
      pending.abort();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
  return simulator;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
