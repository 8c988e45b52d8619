import { z } from "zod";
import { defineProvider, type Provider } from "../provider.ts";
import { twilioChannel } from "./twilio-channel.ts";

/** What the gateway reads of the environment about Twilio. */
export const twilioSettings = {
  TWILIO_ACCOUNT_SID: z.string().regex(/^AC/, "must start with AC"),
  TWILIO_AUTH_TOKEN: z
    .string()
    .transform((list) => list.split(",").map((secret) => secret.trim()))
    .refine(
      (list) => !list.includes(""),
      "must be secrets separated by commas, none of them empty",
    ),
  TWILIO_API_BASE_URL: z
    .url({ protocol: /^https?$/, error: "must be a URL with http:// or https://" })
    .optional(),
  TWILIO_SEGMENTS_PER_SECOND: z.coerce.number().positive().default(1),
  SMS_PROCESSING: z.enum(["sync", "deferred"]).default("sync"),
};

export const twilioProvider: Provider = defineProvider({
  settings: twilioSettings,
  create: (settings, { publicBaseUrl, attemptTimeoutMs }) =>
    twilioChannel({
      accountSid: settings.TWILIO_ACCOUNT_SID,
      authTokens: settings.TWILIO_AUTH_TOKEN,
      ...(settings.TWILIO_API_BASE_URL !== undefined && {
        apiBaseUrl: settings.TWILIO_API_BASE_URL,
      }),
      statusCallbackUrl: `${publicBaseUrl}/api/twilio/message-status`,
      attemptTimeoutMs,
      segmentsPerSecond: settings.TWILIO_SEGMENTS_PER_SECOND,
      processing: settings.SMS_PROCESSING,
    }),
});
