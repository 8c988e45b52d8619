import { setTimeout as wait } from "node:timers/promises";
import twilio from "twilio";
import type { RequestOptions } from "twilio/lib/base/RequestClient.js";
import type { Channel, OutboundMessage, SendOutcome, WebhookRequest } from "../channel.ts";
import { parseInboundMessage } from "./inbound-message.ts";
import { type Answer, outcomeOfAnswer, outcomeOfFailure } from "./send-outcome.ts";

export interface TwilioOptions {
  /** "AC…" */
  accountSid: string;
  /** The first one sends; all of them verify, so that a token can be rotated. */
  authTokens: string[];
  /** Replaces https://api.twilio.com, e.g. by a simulator. */
  apiBaseUrl?: string;
  /** Where Twilio reports what became of a message; `m=<our message id>` is added to its query. */
  statusCallbackUrl?: string;
  /** Longest time one attempt to send may take. */
  attemptTimeoutMs?: number;
}

const ATTEMPT_TIMEOUT_MS = 10_000;
// Seconds; https://www.twilio.com/docs/messaging/api/message-resource, ValidityPeriod.
const LONGEST_VALIDITY = 36_000;

/**
 * SMS through Twilio.
 *
 * @throws TypeError when the account SID is not "AC…", a URL is none, or there is no auth token.
 */
export function twilioChannel(options: TwilioOptions): Channel {
  const { accountSid, authTokens, apiBaseUrl, statusCallbackUrl } = options;
  const timeoutMs = options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS;
  if (!/^AC\w+$/.test(accountSid)) throw new TypeError('A Twilio account SID starts with "AC"');
  if (authTokens.length === 0 || authTokens.includes("")) {
    throw new TypeError("Twilio needs at least one auth token, and no empty one");
  }
  for (const url of [apiBaseUrl, statusCallbackUrl]) {
    if (url !== undefined && !URL.canParse(url)) throw new TypeError(`Not a URL: ${url}`);
  }
  let client: ReturnType<typeof twilio> | undefined;

  return {
    name: "sms",
    provider: "twilio",

    verify: (request) =>
      request.params["AccountSid"] === accountSid &&
      authTokens.some((token) => isSignedWith(token, request)),

    parse: (params, defaults) => parseInboundMessage(params, accountSid, defaults?.to),

    async send(message, signal) {
      if (signal.aborted) return { kind: "unavailable", code: "aborted" };
      client ??= createClient(options, timeoutMs);
      const outcome = client.messages
        .create(createParameters(message, statusCallbackUrl))
        .then(({ sid }): SendOutcome => ({ kind: "accepted", providerId: sid }))
        .catch((error: unknown) =>
          error instanceof NotAccepted ? outcomeOfAnswer(error.answer) : outcomeOfFailure(error),
        );
      return firstOf(outcome, timeoutMs, signal);
    },
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

function createClient({ accountSid, authTokens, apiBaseUrl }: TwilioOptions, timeoutMs: number) {
  const client = twilio(accountSid, authTokens[0], {
    httpClient: new TwilioHttp({ timeout: timeoutMs, autoRetry: false }),
    // Otherwise TWILIO_LOG_LEVEL=debug would print numbers and texts.
    logLevel: "none",
  });
  if (apiBaseUrl !== undefined) client.api.baseUrl = apiBaseUrl;
  return client;
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
 * Hands each answer to the call it belongs to. The SDK's own exceptions lack the response headers,
 * and its `lastResponse` is shared by all requests in flight.
 */
class TwilioHttp extends twilio.RequestClient {
  override async request<T>(options: RequestOptions<T>) {
    const response = await super.request(options);
    const { statusCode: status, headers, body } = response;
    const answer = { status, headers: headers ?? {}, body };
    if (outcomeOfAnswer(answer).kind !== "accepted") throw new NotAccepted(answer);
    return response;
  }
}

/**
 * The SDK takes no signal and its time limit is one of silence, so the whole attempt is raced
 * against both. Whichever wins, the request has begun: what comes of it is unknown.
 */
async function firstOf(
  outcome: Promise<SendOutcome>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const settled = new AbortController();
  const limit = wait(timeoutMs, undefined, { signal: AbortSignal.any([signal, settled.signal]) });
  const interrupted = limit.then(
    (): SendOutcome => ({ kind: "unknown", code: "timeout" }),
    (): SendOutcome => ({ kind: "unknown", code: "aborted" }),
  );
  const first = await Promise.race([outcome, interrupted]);
  settled.abort();
  return first;
}
