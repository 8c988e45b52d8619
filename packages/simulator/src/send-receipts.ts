import { setTimeout as delay } from "node:timers/promises";
import type { ReceiptPlan } from "./faults-schema.ts";
import type { LoggedMessage } from "./message-log.ts";
import { requestWebhook } from "./request-webhook.ts";
import { retryRules } from "./retry-rules.ts";
import { signTwilioRequest } from "./sign-twilio-request.ts";
import type { TwilioAccount } from "./twilio-api.ts";

type ReceiptStatus = "sent" | "delivered" | "undelivered" | "failed";

/** Twilio's "unknown error" (https://www.twilio.com/docs/api/errors/30008). */
const UNKNOWN_ERROR = 30008;

/**
 * Takes a message through its statuses and posts each to its StatusCallback, signed, as the plan says. There is no
 * callback for the first status (https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks),
 * and the answer changes nothing: a refused receipt is lost, as with Twilio. What befalls a receipt does not befall the
 * message: its status in Twilio's log goes on.
 *
 * @returns `first`, settled when the first receipt is answered; `all`, settled after the last
 * @throws both reject when `signal` is aborted
 */
export function sendReceipts(
  account: TwilioAccount,
  message: LoggedMessage,
  plan: ReceiptPlan,
  signal: AbortSignal,
): { first: Promise<void>; all: Promise<unknown> } {
  const post = async (status: ReceiptStatus, afterMs: number): Promise<void> => {
    if (afterMs > 0) await delay(afterMs, undefined, { signal });
    signal.throwIfAborted();
    advance(message, status, plan.errorCode ?? UNKNOWN_ERROR);
    if (Math.random() >= (plan.loseShare ?? 0)) await postReceipt(account, message, status, signal);
  };

  const receipts = schedule(plan);
  const startedAt = performance.now();
  const running: Promise<void>[] = [];
  for (const { status, afterMs } of receipts) {
    const before = running.at(-1);
    const next =
      plan.shuffle || !before
        ? post(status, afterMs)
        : before.then(() => post(status, afterMs - (performance.now() - startedAt)));
    running.push(next);
  }
  return { first: running[0] ?? Promise.resolve(), all: Promise.all(running) };
}

/** Each copy of each status with its time after the acceptance, earliest first. */
function schedule(plan: ReceiptPlan): { status: ReceiptStatus; afterMs: number }[] {
  const { minDelayMs = 0, repeat = 0, shuffle = false, beforeAnswer = false } = plan;
  const range = Math.max((plan.maxDelayMs ?? 0) - minDelayMs, 0);
  const final = plan.final ?? "delivered";
  const statuses: ReceiptStatus[] = final === "failed" ? [final] : ["sent", final];
  const copies = statuses.flatMap((status) => Array<ReceiptStatus>(1 + repeat).fill(status));
  const order = shuffle ? shuffled(copies) : copies;
  const times = copies.map(() => minDelayMs + Math.random() * range).toSorted((a, b) => a - b);
  if (beforeAnswer) times[0] = 0;
  return order.map((status, index) => ({ status, afterMs: times[index] ?? 0 }));
}

/** Any order with the same chance (Fisher and Yates). */
function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(Math.floor(Math.random() * rest.length), 1));
}

/** A repeated or overtaken `sent` does not undo the end. */
function advance(message: LoggedMessage, status: ReceiptStatus, errorCode: number): void {
  if (status === "sent" && message.status !== "queued") return;
  message.status = status;
  if (isFailure(status)) message.errorCode = errorCode;
}

function isFailure(status: ReceiptStatus): boolean {
  return status === "undelivered" || status === "failed";
}

async function postReceipt(
  account: TwilioAccount,
  message: LoggedMessage,
  status: ReceiptStatus,
  signal: AbortSignal,
): Promise<void> {
  const url = message.statusCallback;
  if (url === null) return;
  const params = {
    ...(isFailure(status) ? { ErrorCode: String(message.errorCode) } : {}),
    SmsSid: message.sid,
    SmsStatus: status,
    MessageStatus: status,
    To: message.to,
    MessageSid: message.sid,
    AccountSid: account.accountSid,
    From: message.from,
    ApiVersion: "2010-04-01",
  };
  await requestWebhook({
    ...retryRules(url),
    url,
    headers: { "x-twilio-signature": signTwilioRequest(account.authToken, url, params) },
    form: params,
    signal,
  });
}
