import type { ReceiptPlan } from "./faults-schema.ts";
import type { LoggedMessage } from "./message-log.ts";
import { formContent, requestWebhook } from "./request-webhook.ts";
import { retryRules } from "./retry-rules.ts";
import { runSchedule } from "./receipt-schedule.ts";
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
  const { final = "delivered", errorCode = UNKNOWN_ERROR } = plan;
  const statuses: ReceiptStatus[] = final === "failed" ? [final] : ["sent", final];
  return runSchedule(statuses, plan, signal, async (status, lost) => {
    advance(message, status, errorCode);
    if (!lost) await postReceipt(account, message, status, signal);
  });
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
    content: formContent(params),
    signal,
  });
}
