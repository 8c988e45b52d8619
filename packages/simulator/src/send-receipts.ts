import type { LoggedMessage } from "./message-log.ts";
import { requestWebhook } from "./request-webhook.ts";
import { retryRules } from "./retry-rules.ts";
import { signTwilioRequest } from "./sign-twilio-request.ts";
import type { TwilioAccount } from "./twilio-api.ts";

/**
 * Posts `sent` and then `delivered` to the message's StatusCallback, signed. There is no callback for the first
 * status (https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks), and nobody waits
 * for the answer: a refused receipt is lost, as with Twilio.
 */
export async function sendReceipts(
  account: TwilioAccount,
  message: LoggedMessage,
  signal: AbortSignal,
): Promise<void> {
  for (const status of ["sent", "delivered"] as const) {
    message.status = status;
    if (message.statusCallback === null) continue;
    const params = {
      SmsSid: message.sid,
      SmsStatus: status,
      MessageStatus: status,
      To: message.to,
      MessageSid: message.sid,
      AccountSid: account.accountSid,
      From: message.from,
      ApiVersion: "2010-04-01",
    };
    const url = message.statusCallback;
    await requestWebhook({
      ...retryRules(url),
      url,
      headers: { "x-twilio-signature": signTwilioRequest(account.authToken, url, params) },
      form: params,
      signal,
    });
  }
}
