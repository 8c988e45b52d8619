import { randomUUID } from "node:crypto";
import { readAnswer } from "./read-answer.ts";
import type { Reply } from "./read-answer.ts";
import { formContent, requestWebhook } from "./request-webhook.ts";
import type { WebhookAnswer } from "./request-webhook.ts";
import { retryRules } from "./retry-rules.ts";
import type { FailureKind, RetryRules } from "./retry-rules.ts";
import { signTwilioRequest } from "./sign-twilio-request.ts";

/** What a webhook came to, request by request, the fallback URL's last. */
export interface WebhookResult {
  attempts: {
    url: string;
    status: number | null;
    error: string | null;
    contentType: string | null;
    body: string;
  }[];
  /** The last answer, whatever its status; null when the last request got none. */
  final: { status: number; contentType: string | null; body: string } | null;
}

export interface Delivery {
  /** May carry connection overrides in its fragment. */
  webhookUrl: string;
  fallbackUrl?: string;
  params: Record<string, string>;
  authToken: string;
  signal: AbortSignal;
}

/**
 * Requests a webhook by Twilio's rules: retries only for the failures the URL's fragment names, all within its total
 * time, then the fallback URL once, with `ErrorCode` and `ErrorUrl` added and signed.
 *
 * @returns the requests made, and the texts the accepted answer sends to the person
 * @throws RangeError for a fragment Twilio does not accept; an abort error when `signal` is aborted
 */
export async function deliverWebhook(
  delivery: Delivery,
): Promise<{ result: WebhookResult; replies: Reply[] }> {
  const result: WebhookResult = { attempts: [], final: null };
  // Constant across the retries of one webhook.
  const headers = { "i-twilio-idempotency-token": randomUUID(), "user-agent": "TwilioProxy/1.1" };
  const { webhookUrl, fallbackUrl, params } = delivery;

  const answer = await requestWithRetries(delivery, webhookUrl, params, headers, result);
  const outcome = readAnswer(answer);
  if (outcome.kind === "accepted") return { result, replies: outcome.replies };
  if (fallbackUrl === undefined) return { result, replies: [] };

  const failure = { ErrorCode: String(outcome.errorCode), ErrorUrl: withoutFragment(webhookUrl) };
  const last = await requestOnce(delivery, fallbackUrl, { ...params, ...failure }, headers, result);
  const second = readAnswer(last);
  return { result, replies: second.kind === "accepted" ? second.replies : [] };
}

/** Less than this is not worth a connection. */
const LEAST_TIME_MS = 10;

async function requestWithRetries(
  delivery: Delivery,
  url: string,
  params: Record<string, string>,
  headers: Record<string, string>,
  result: WebhookResult,
): Promise<WebhookAnswer> {
  const rules = retryRules(url);
  const startedAt = performance.now();
  for (let retry = 0; ; retry++) {
    const left = rules.totalTimeMs - (performance.now() - startedAt);
    const answer = await requestOnce(delivery, url, params, headers, result, left);
    const failure = failureOf(answer);
    // A timer may fire a moment early: what is left then is no time for a request.
    const spent = rules.totalTimeMs - (performance.now() - startedAt) < LEAST_TIME_MS;
    if (failure === null || !mayRetry(rules, failure, retry) || spent) return answer;
  }
}

async function requestOnce(
  delivery: Delivery,
  url: string,
  params: Record<string, string>,
  headers: Record<string, string>,
  result: WebhookResult,
  totalTimeMs = retryRules(url).totalTimeMs,
): Promise<WebhookAnswer> {
  const { connectTimeoutMs, readTimeoutMs } = retryRules(url);
  const requested = withoutFragment(url);
  const answer = await requestWebhook({
    url: requested,
    headers: {
      ...headers,
      "x-twilio-signature": signTwilioRequest(delivery.authToken, requested, params),
    },
    content: formContent(params),
    connectTimeoutMs,
    readTimeoutMs,
    totalTimeMs,
    signal: delivery.signal,
  });
  if (answer.kind === "answered") {
    const { status, contentType, body } = answer;
    result.attempts.push({ url: requested, status, error: null, contentType, body });
    result.final = { status, contentType, body };
  } else {
    const nothing = { status: null, contentType: null, body: "" };
    result.attempts.push({ url: requested, error: answer.error, ...nothing });
    result.final = null;
  }
  return answer;
}

function mayRetry(rules: RetryRules, failure: FailureKind, retry: number): boolean {
  return retry < rules.retryCount && rules.retryOn.has(failure);
}

/** The class a retry policy may name, or null when Twilio does not retry: success, a redirect, a partial answer. */
function failureOf(answer: WebhookAnswer): FailureKind | null {
  if (answer.kind === "not-connected") return "ct";
  if (answer.kind === "not-answered") return answer.partial ? null : "rt";
  if (answer.status >= 500) return "5xx";
  return answer.status >= 400 ? "4xx" : null;
}

function withoutFragment(url: string): string {
  return url.split("#", 1)[0] ?? url;
}
