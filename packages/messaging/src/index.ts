/** Everything a provider can say or be told: parse, verify, send with retry. */
export type {
  Channel,
  ChannelName,
  InboundMessage,
  LoggedInbound,
  LogResult,
  OutboundMessage,
  ParseResult,
  ProviderLog,
  Receipt,
  ReceiptResult,
  RejectionScope,
  SendOutcome,
  WebhookRequest,
} from "./channel.ts";
export { callingCode, normaliseAddress } from "./phone-number.ts";
export { maskAddress, redactText } from "./redact.ts";
export { createChannels, type ChannelsConfig } from "./registry.ts";
export { type FailedAttempt, sendWithRetry, type SendWithRetryOptions } from "./retry.ts";
export { prepareSmsText, type SmsText } from "./sms-text.ts";
export {
  type NumberWebhooks,
  type ProviderNumber,
  type ProviderNumbers,
  twilioNumbers,
} from "./twilio/numbers.ts";
export { twilioChannel, type TwilioOptions } from "./twilio/twilio-channel.ts";
