import { defineProvider, type Provider } from "../provider.ts";
import type { WhatsAppApi } from "./api.ts";
import { whatsAppSettings, type WhatsAppSettings } from "./settings.ts";
import { isFrom360Dialog } from "./verify.ts";
import { metaWebhook } from "./webhook.ts";
import { whatsAppChannel } from "./whatsapp-channel.ts";

const PROVIDER = "360dialog";
const API_URL = "https://waba-v2.360dialog.io";

/** 360dialog passes Meta's API on, and its webhooks: its key stands for the number and its account. */
export const dialog360Provider: Provider = defineProvider({
  settings: whatsAppSettings,
  create: (settings, { attemptTimeoutMs }) =>
    settings.WHATSAPP_API_KEY === undefined
      ? null
      : whatsAppChannel({
          provider: PROVIDER,
          api: apiOf(settings, settings.WHATSAPP_API_KEY),
          webhook: metaWebhook({
            provider: PROVIDER,
            authenticate: (request) =>
              isFrom360Dialog(settings.WHATSAPP_WEBHOOK_SECRET ?? [], request),
            verifyTokens: settings.WHATSAPP_VERIFY_TOKEN,
            defaultTo: settings.WHATSAPP_PHONE_NUMBER_ID,
            problems:
              settings.WHATSAPP_WEBHOOK_SECRET === undefined
                ? ["WHATSAPP_WEBHOOK_SECRET is missing: everything 360dialog reports is refused"]
                : [],
          }),
          processing: settings.WHATSAPP_PROCESSING,
          attemptTimeoutMs,
        }),
});

// https://docs.360dialog.com/docs/messaging/media
const META_MEDIA_HOST = "lookaside.fbsbx.com";

function apiOf(settings: WhatsAppSettings, key: string): WhatsAppApi {
  const baseUrl = (settings.WHATSAPP_API_URL ?? API_URL).replace(/\/+$/, "");
  return {
    baseUrl,
    headers: { "d360-api-key": key },
    messagesUrl: () => `${baseUrl}/messages`,
    mediaUrl: (id) => `${baseUrl}/${encodeURIComponent(id)}`,
    // Meta's address answers to Meta's token only; 360dialog passes the same path on.
    downloadUrl: (given) =>
      given.hostname === META_MEDIA_HOST
        ? new URL(`${baseUrl}${given.pathname}${given.search}`)
        : given,
  };
}
