import { defineProvider, type Provider } from "../provider.ts";
import type { WhatsAppApi } from "./api.ts";
import { whatsAppSettings, type WhatsAppSettings } from "./settings.ts";
import { isSignedByMeta } from "./verify.ts";
import { metaWebhook } from "./webhook.ts";
import { whatsAppChannel } from "./whatsapp-channel.ts";

const PROVIDER = "whatsapp-cloud";
const API_URL = "https://graph.facebook.com";

/**
 * Meta's own Cloud API. Without credentials there is a channel all the same: it believes nobody,
 * refuses to send, and says what is missing.
 */
export const whatsAppCloudProvider: Provider = defineProvider({
  settings: whatsAppSettings,
  create: (settings, { attemptTimeoutMs }) =>
    settings.WHATSAPP_API_KEY !== undefined
      ? null
      : whatsAppChannel({
          provider: PROVIDER,
          api: apiOf(settings),
          webhook: metaWebhook({
            provider: PROVIDER,
            authenticate: (request) => isSignedByMeta(settings.WHATSAPP_APP_SECRET ?? [], request),
            verifyTokens: settings.WHATSAPP_VERIFY_TOKEN,
            defaultTo: settings.WHATSAPP_PHONE_NUMBER_ID,
            problems: problemsOf(settings),
          }),
          processing: settings.WHATSAPP_PROCESSING,
          attemptTimeoutMs,
        }),
});

function apiOf(settings: WhatsAppSettings): WhatsAppApi | null {
  const token = settings.WHATSAPP_ACCESS_TOKEN;
  if (token === undefined) return null;
  const baseUrl = (settings.WHATSAPP_API_URL ?? API_URL).replace(/\/+$/, "");
  const versioned = `${baseUrl}/${settings.WHATSAPP_API_VERSION}`;
  return {
    baseUrl,
    headers: { authorization: `Bearer ${token}` },
    messagesUrl: (from) => `${versioned}/${encodeURIComponent(from)}/messages`,
    mediaUrl: (id) => `${versioned}/${encodeURIComponent(id)}`,
    downloadUrl: (given) => given,
  };
}

/** Nothing is missing where WhatsApp is not used at all. */
function problemsOf(settings: WhatsAppSettings): string[] {
  const isUsed = [
    settings.WHATSAPP_ACCESS_TOKEN,
    settings.WHATSAPP_PHONE_NUMBER_ID,
    settings.WHATSAPP_APP_SECRET,
    settings.WHATSAPP_VERIFY_TOKEN,
    settings.WHATSAPP_WEBHOOK_SECRET,
  ].some((setting) => setting !== undefined);
  if (!isUsed) return [];
  const problems = [];
  if (settings.WHATSAPP_ACCESS_TOKEN === undefined) {
    problems.push("WHATSAPP_ACCESS_TOKEN is missing: nothing can be sent by WhatsApp");
  }
  if (settings.WHATSAPP_APP_SECRET === undefined) {
    problems.push("WHATSAPP_APP_SECRET is missing: everything Meta reports is refused");
  }
  if (settings.WHATSAPP_VERIFY_TOKEN === undefined) {
    problems.push("WHATSAPP_VERIFY_TOKEN is missing: Meta cannot verify the webhook's address");
  }
  return problems;
}
