import twilio from "twilio";

/**
 * The `X-Twilio-Signature` of a form webhook, computed by Twilio's own SDK.
 *
 * @param authToken the account's auth token
 * @param url the exact URL Twilio requests, query included; a `#fragment` is not part of the signature and is cut off
 *   (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides)
 * @param params all form parameters, empty ones included
 * @returns base64 of HMAC-SHA1 (https://www.twilio.com/docs/usage/webhooks/webhooks-security)
 */
export function signTwilioRequest(
  authToken: string,
  url: string,
  params: Record<string, string>,
): string {
  return twilio.getExpectedTwilioSignature(authToken, url.split("#", 1)[0] ?? url, params);
}
