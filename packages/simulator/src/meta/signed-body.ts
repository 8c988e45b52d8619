import { createHmac } from "node:crypto";

/**
 * How a webhook proves where it comes from: Meta's signature, what 360dialog sends to its clients (a header of their
 * own with a secret) and to its partners (a signature), or nothing.
 */
export const WEBHOOK_SIGNATURES = [
  "x-hub-signature-256",
  "x-webhook-secret",
  "x-360dialog-signature",
  "none",
] as const;
export type WebhookSignature = (typeof WEBHOOK_SIGNATURES)[number];

export interface WebhookSecrets {
  /** Signs for Meta. */
  appSecret: string;
  /** Stands in a header, or signs, for 360dialog. */
  webhookSecret: string;
}

/**
 * JSON as Meta writes it: everything beyond ASCII as lower-case `\uXXXX`, and `/`, `<`, `%` and `@` escaped too
 * (https://developers.facebook.com/docs/graph-api/webhooks/getting-started). None of these occurs outside a string.
 */
export function serializeAsMeta(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replaceAll("<", "\\u003C")
    .replaceAll("%", "\\u0025")
    .replaceAll("@", "\\u0040")
    .replace(/[^\0-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * The headers that prove it, over exactly these bytes.
 *
 * @param body as it will be posted
 */
export function signatureHeaders(
  kind: WebhookSignature,
  body: string,
  { appSecret, webhookSecret }: WebhookSecrets,
): Record<string, string> {
  switch (kind) {
    case "x-hub-signature-256":
      return { "x-hub-signature-256": `sha256=${hmac(appSecret, body)}` };
    case "x-webhook-secret":
      return { "x-webhook-secret": webhookSecret };
    case "x-360dialog-signature":
      return { "x-360dialog-signature": hmac(webhookSecret, body) };
    case "none":
      return {};
  }
}

function hmac(secret: string, body: string): string {
  return createHmac("sha256", secret).update(body, "utf8").digest("hex");
}
