import { setTimeout as delay } from "node:timers/promises";
import type { WebhookResult } from "../deliver-webhook.ts";
import { requestWebhook } from "../request-webhook.ts";

/** How Meta repeats a webhook that was not answered with 200. */
export interface WebhookRetry {
  /** Repeats at most. */
  times: number;
  /** What the waits are multiplied with: 1 is Meta's own pace, 0.0001 makes a second of nearly three hours. */
  scale: number;
}

/** Longest wait for an answer, ms; Meta publishes none, and this is the longest anybody reports. */
const TIMEOUT_MS = 20_000;

// "Decreasing frequency" for up to 7 days is all Meta says of the waits
// (https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview).
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 12 * 60 * 60 * 1000;
const GIVE_UP_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Posts a webhook and repeats it, the same bytes each time, until it is answered with 200.
 *
 * @returns every request made
 * @throws an abort error when `signal` is aborted
 */
export async function postWebhook(options: {
  url: string;
  headers: Record<string, string>;
  body: string;
  retry: WebhookRetry;
  signal: AbortSignal;
}): Promise<WebhookResult> {
  const { url, headers, body, retry, signal } = options;
  const result: WebhookResult = { attempts: [], final: null };
  let waitMs = FIRST_WAIT_MS;
  let waitedMs = 0;
  for (let repeats = 0; ; repeats++) {
    const answer = await requestWebhook({
      url,
      headers: { ...headers, "user-agent": "facebookexternalua" },
      content: { type: "application/json", body },
      connectTimeoutMs: TIMEOUT_MS,
      readTimeoutMs: TIMEOUT_MS,
      totalTimeMs: TIMEOUT_MS,
      signal,
    });
    if (answer.kind === "answered") {
      const { kind: _, ...final } = answer;
      result.final = final;
      result.attempts.push({ url, error: null, ...final });
    } else {
      result.final = null;
      result.attempts.push({ url, status: null, error: answer.error, contentType: null, body: "" });
    }
    waitedMs += waitMs;
    const over = repeats >= retry.times || waitedMs > GIVE_UP_AFTER_MS;
    if (result.final?.status === 200 || over) return result;
    await delay(waitMs * retry.scale, undefined, { signal });
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/**
 * Asks an address, as Meta does when it is configured, whether it is meant
 * (https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/create-webhook-endpoint).
 *
 * @throws RangeError when it does not answer 200 with the challenge
 */
export async function verifyWebhook(
  url: string,
  verifyToken: string,
  signal: AbortSignal,
): Promise<void> {
  const challenge = String(Math.floor(Math.random() * 2 ** 31));
  const question = new URL(url);
  question.searchParams.set("hub.mode", "subscribe");
  question.searchParams.set("hub.challenge", challenge);
  question.searchParams.set("hub.verify_token", verifyToken);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const answer = await fetch(question, { signal: limit, redirect: "manual" }).then(
    async (response) => ({ status: response.status, body: await response.text() }),
    (error: unknown) => ({ status: null, body: String(error) }),
  );
  if (answer.status === 200 && answer.body === challenge) return;
  throw new RangeError(
    `${url} was not verified: asked with hub.verify_token it answered ${answer.status ?? "nothing"} ` +
      `${JSON.stringify(answer.body.slice(0, 200))} instead of 200 and the challenge`,
  );
}
