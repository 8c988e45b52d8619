import type { LoggedMessage } from "./message-log.ts";

/**
 * A message as Twilio's REST API shows it (https://www.twilio.com/docs/messaging/api/message-resource).
 * Dates are RFC 2822 with a precision of one second.
 */
export function messageResource(accountSid: string, message: LoggedMessage) {
  const date = new Date(message.at).toUTCString().replace("GMT", "+0000");
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: "2010-04-01",
    body: message.body,
    date_created: date,
    date_sent: message.status === "queued" ? null : date,
    date_updated: date,
    direction: message.direction,
    error_code: message.errorCode,
    error_message: null,
    from: message.from,
    messaging_service_sid: null,
    num_media: "0",
    num_segments: "1",
    price: null,
    price_unit: "USD",
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  };
}
