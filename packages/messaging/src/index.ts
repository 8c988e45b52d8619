/** Everything a provider can say or be told: parse, verify, send with retry. */
export type {
  Channel,
  ChannelName,
  InboundMessage,
  OutboundMessage,
  ParseResult,
  SendOutcome,
  WebhookRequest,
} from "./channel.ts";
export { normaliseAddress } from "./phone-number.ts";
export { maskAddress, redactText } from "./redact.ts";
export { createChannels, type ChannelsConfig } from "./registry.ts";
export { type FailedAttempt, sendWithRetry, type SendWithRetryOptions } from "./retry.ts";
export { prepareSmsText, type SmsText } from "./sms-text.ts";
export { twilioChannel, type TwilioOptions } from "./twilio/twilio-channel.ts";
