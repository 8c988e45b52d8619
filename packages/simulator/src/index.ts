export { startSimulator } from "./simulator.ts";
export type { PersonText, Simulator, SimulatorOptions } from "./simulator.ts";
export type { Faults } from "./faults.ts";
export type { SentMessage } from "./message-log.ts";
export type { ModelCall } from "./openai-api.ts";
export type { WebhookResult } from "./deliver-webhook.ts";
export { inboundParams } from "./inbound-params.ts";
export type { InboundMessage } from "./inbound-params.ts";
export { signTwilioRequest } from "./sign-twilio-request.ts";
