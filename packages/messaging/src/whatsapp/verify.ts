import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { WebhookRequest } from "../channel.ts";

/**
 * Whether Meta signed this body: `X-Hub-Signature-256: sha256=<hex>`, the HMAC-SHA256 of the raw
 * bytes under the app secret. Meta escapes what JSON.stringify does not, so only the bytes as they
 * came will do (https://developers.facebook.com/docs/graph-api/webhooks/getting-started).
 *
 * @param appSecrets the one in use and those being rotated in or out; without any, nothing is believed
 */
export function isSignedByMeta(appSecrets: readonly string[], request: WebhookRequest): boolean {
  const match = /^sha256=([0-9a-f]{64})$/.exec(request.headers["x-hub-signature-256"] ?? "");
  return match !== null && isSignature(match[1] as string, appSecrets, request.rawBody);
}

/**
 * Whether 360dialog, or somebody who was told the secret, made this request: one of the secrets in
 * `X-Webhook-Secret`, a header set together with the webhook's address, or `x-360dialog-signature`,
 * the hex HMAC-SHA256 of the raw body, which integrators report bare as well as after `sha256=`
 * (https://docs.360dialog.com/partner/onboarding/webhook-events-and-setup/signature-validation).
 *
 * @param secrets without any, nothing is believed
 */
export function isFrom360Dialog(secrets: readonly string[], request: WebhookRequest): boolean {
  const given = request.headers["x-webhook-secret"];
  if (given !== undefined && isOneOf(given, secrets)) return true;
  const signature = request.headers["x-360dialog-signature"] ?? "";
  const match = /^(?:sha256=)?([0-9a-f]{64})$/i.exec(signature);
  return match !== null && isSignature(match[1] as string, secrets, request.rawBody);
}

/** Whether it equals one of the secrets, in a time that tells nothing about them. */
export function isOneOf(given: string, secrets: readonly string[]): boolean {
  return anyOf(secrets, (secret) => timingSafeEqual(digest(given), digest(secret)));
}

function isSignature(hex: string, secrets: readonly string[], rawBody: Buffer): boolean {
  const given = Buffer.from(hex, "hex");
  return anyOf(secrets, (secret) =>
    timingSafeEqual(given, createHmac("sha256", secret).update(rawBody).digest()),
  );
}

// Every secret is tried, so that the time does not tell which one fitted. An empty one is none:
// anybody could sign with it.
function anyOf(secrets: readonly string[], fits: (secret: string) => boolean): boolean {
  return secrets.filter((secret) => secret !== "" && fits(secret)).length > 0;
}

// Of equal length whatever goes in, as timingSafeEqual demands.
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
