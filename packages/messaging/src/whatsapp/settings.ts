import { z } from "zod";

const secrets = z
  .string()
  .transform((list) => list.split(",").map((secret) => secret.trim()))
  .refine((list) => !list.includes(""), "must be secrets separated by commas, none of them empty")
  .optional();
/** Goes into a header, which takes no other characters. */
const token = z
  .string()
  .regex(/^[!-~]+$/, "must have no spaces and no special characters")
  .optional();

/** What both providers of WhatsApp read of the environment. */
export const whatsAppSettings = {
  WHATSAPP_API_URL: z
    .url({ protocol: /^https?$/, error: "must be a URL with http:// or https://" })
    .optional(),
  WHATSAPP_API_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, "must look like v24.0")
    .default("v24.0"),
  WHATSAPP_ACCESS_TOKEN: token,
  /** Its presence selects 360dialog. */
  WHATSAPP_API_KEY: token,
  WHATSAPP_PHONE_NUMBER_ID: z
    .string()
    .regex(/^\d{1,32}$/, "must be digits")
    .optional(),
  WHATSAPP_APP_SECRET: secrets,
  WHATSAPP_VERIFY_TOKEN: secrets,
  WHATSAPP_WEBHOOK_SECRET: secrets,
  WHATSAPP_PROCESSING: z.enum(["sync", "deferred"]).default("sync"),
};

export type WhatsAppSettings = z.output<z.ZodObject<typeof whatsAppSettings>>;
