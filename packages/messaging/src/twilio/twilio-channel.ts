import twilio from "twilio";
import type { RequestOptions } from "twilio/lib/base/RequestClient.js";
import type {
  Channel,
  FormWebhooks,
  OutboundMessage,
  SendOutcome,
  WebhookRequest,
} from "../channel.ts";
import { outcomeOfFailure } from "../http-failure.ts";
import { prepareSmsText } from "../sms-text.ts";
import { checkAccount, createClient, REQUEST_TIMEOUT_MS, type TwilioAccount } from "./client.ts";
import { parseInboundMessage } from "./inbound-message.ts";
import { twilioMessageLog } from "./message-log.ts";
import { readSmsContent } from "./content.ts";
import { parseReceipt } from "./receipt.ts";
import { type Answer, outcomeOfAnswer } from "./send-outcome.ts";
import { Interrupted, within } from "./within.ts";

export interface TwilioOptions extends TwilioAccount {
  /** Where Twilio reports what became of a message; `m=<our message id>` is added to its query. */
  statusCallbackUrl?: string;
  /** Longest time one attempt to send, or one page of the message log, may take. */
  attemptTimeoutMs?: number;
  /** What one number may send; default 1, the rate of a long code. */
  segmentsPerSecond?: number;
  /** Default `sync`. */
  processing?: Channel["processing"];
}

/** Twilio carrying SMS: an address per purpose. */
export type TwilioChannel = Channel & FormWebhooks;

/**
 * So much of a number's rate may leave at once: Twilio queues what comes faster than its own rate,
 * and a burst of customers should not wait here first.
 */
const BURST_SECONDS = 5 * 60;

/**
 * No limit on sends at once: whoever waited for a free socket until the time is up would count as
 * unknown, though nothing was sent. The caller decides how many there are. The SDK would stop at 20
 * and keep 5 connections between sends; a full batch should find its connections again.
 */
const SOCKETS = { maxSockets: Infinity, maxTotalSockets: Infinity, maxFreeSockets: 64 };
// Seconds; https://www.twilio.com/docs/messaging/api/message-resource, ValidityPeriod.
const LONGEST_VALIDITY = 36_000;

/**
 * SMS through Twilio.
 *
 * @throws TypeError when the account SID is not "AC…", a URL is none, or there is no auth token.
 */
export function twilioChannel(options: TwilioOptions): TwilioChannel {
  const { accountSid, authTokens, statusCallbackUrl } = options;
  const timeoutMs = options.attemptTimeoutMs ?? REQUEST_TIMEOUT_MS;
  checkAccount(options);
  if (statusCallbackUrl !== undefined && !URL.canParse(statusCallbackUrl)) {
    throw new TypeError(`Not a URL: ${statusCallbackUrl}`);
  }
  let client: twilio.Twilio | undefined;

  return {
    name: "sms",
    provider: "twilio",
    processing: options.processing ?? "sync",
    rate: { perSecond: options.segmentsPerSecond ?? 1, burstSeconds: BURST_SECONDS },
    answersKeywords: true,
    ownsEveryNumber: true,
    fitText: (words) => {
      const { text, segments } = prepareSmsText(words);
      return { text, segments };
    },
    readContent: readSmsContent,

    verify: (request) =>
      request.params["AccountSid"] === accountSid &&
      authTokens.some((token) => isSignedWith(token, request)),

    parse: (params, defaults) => parseInboundMessage(params, accountSid, defaults?.to),

    async send(message, signal) {
      if (signal.aborted) return { kind: "unavailable", code: "aborted" };
      client ??= createClient(
        options,
        new SendingHttp({ timeout: timeoutMs, autoRetry: false, ...SOCKETS }),
      );
      const outcome = client.messages
        .create(createParameters(message, statusCallbackUrl))
        .then(({ sid }): SendOutcome => ({ kind: "accepted", providerId: sid }))
        .catch((error: unknown) =>
          error instanceof NotAccepted ? outcomeOfAnswer(error.answer) : outcomeOfFailure(error),
        );
      const first = await within(outcome, timeoutMs, signal);
      // The request has begun: what comes of it is unknown.
      return first instanceof Interrupted ? { kind: "unknown", code: first.by } : first;
    },

    parseReceipt,

    log: twilioMessageLog(options, timeoutMs),
  };
}

function isSignedWith(authToken: string, { url, headers, params }: WebhookRequest): boolean {
  const signature = headers["x-twilio-signature"] ?? "";
  try {
    return twilio.validateRequest(authToken, signature, url, params);
  } catch {
    return false; // the SDK throws on an unreadable URL
  }
}

function createParameters(
  { id, from, to, body, validitySeconds }: OutboundMessage,
  callback?: string,
) {
  const statusCallback = callback === undefined ? undefined : new URL(callback);
  statusCallback?.searchParams.set("m", id);
  return {
    from,
    to,
    body,
    ...(statusCallback && { statusCallback: statusCallback.href }),
    ...(validitySeconds !== undefined && {
      validityPeriod: Math.min(Math.max(Math.ceil(validitySeconds), 1), LONGEST_VALIDITY),
    }),
  };
}

/** An answer that is not a readable acceptance. */
class NotAccepted extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`Twilio answered with HTTP ${answer.status}`);
    this.answer = answer;
  }
}

/**
 * Sends, and hands each answer to the call it belongs to: the SDK's own exceptions lack the
 * response headers, and its `lastResponse` is shared by all requests in flight.
 */
class SendingHttp extends twilio.RequestClient {
  override async request<T>(options: RequestOptions<T>) {
    const response = await super.request(options);
    const { statusCode: status, headers, body } = response;
    const answer = { status, headers: headers ?? {}, body };
    if (outcomeOfAnswer(answer).kind !== "accepted") throw new NotAccepted(answer);
    return response;
  }
}
