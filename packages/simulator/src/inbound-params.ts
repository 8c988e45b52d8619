import { newSid } from "./new-sid.ts";

export interface InboundMessage {
  /** E.164 with `+` for a normal phone; anything Twilio may report otherwise (short code, `whatsapp:+…`). */
  from: string;
  to: string;
  body: string;
  /** `SM` or `MM` and 32 hexadecimal digits; a new one when absent. */
  sid?: string;
  accountSid: string;
  /** Further parameters, or other values for the standard ones. */
  extra?: Record<string, string>;
}

/**
 * The form parameters Twilio posts for an inbound text: all it always sends, and those seen in every captured payload
 * (https://www.twilio.com/docs/messaging/guides/webhook-request).
 */
export function inboundParams(message: InboundMessage): Record<string, string> {
  const sid = message.sid ?? newSid();
  return {
    ToCountry: "GB",
    SmsMessageSid: sid,
    NumMedia: "0",
    SmsSid: sid,
    SmsStatus: "received",
    Body: message.body,
    To: message.to,
    NumSegments: "1",
    ReferralNumMedia: "0",
    MessageSid: sid,
    AccountSid: message.accountSid,
    From: message.from,
    ApiVersion: "2010-04-01",
    ...message.extra,
  };
}
