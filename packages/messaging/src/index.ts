/** Everything a provider can say or be told: parse, verify, send with retry. */
export type {
  Channel,
  ChannelName,
  ChannelWebhook,
  Content,
  ContentResult,
  FormWebhooks,
  InboundMessage,
  LoggedInbound,
  LogResult,
  Media,
  MediaResult,
  OutboundMessage,
  ParseResult,
  PersonIds,
  ProviderLog,
  ProviderNotice,
  Receipt,
  ReceiptResult,
  RejectionScope,
  SendOutcome,
  WebhookItem,
  WebhookRequest,
  WebhookResult,
} from "./channel.ts";
export { takesForms } from "./channel.ts";
export { callingCode, normaliseAddress } from "./phone-number.ts";
export { maskAddress, redactText } from "./redact.ts";
export { defineProvider, type Provider, type ProviderContext } from "./provider.ts";
export { createChannels, providers } from "./registry.ts";
export { type FailedAttempt, sendWithRetry, type SendWithRetryOptions } from "./retry.ts";
export { prepareSmsText, type SmsText } from "./sms-text.ts";
export {
  type NumberWebhooks,
  type ProviderNumber,
  type ProviderNumbers,
  twilioNumbers,
} from "./twilio/numbers.ts";
export { twilioSettings } from "./twilio/provider.ts";
export { twilioChannel, type TwilioChannel, type TwilioOptions } from "./twilio/twilio-channel.ts";
