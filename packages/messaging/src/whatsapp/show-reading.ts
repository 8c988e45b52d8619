import type { Channel } from "../channel.ts";
import type { WhatsAppApi } from "./api.ts";
import { request } from "./request.ts";

// The customer waits for the answer, not for this.
const TIMEOUT_MS = 5000;

/**
 * Shows a message as read and that an answer is being written. Meta ends that with the answer, or
 * after 25 s (developers.facebook.com/documentation/business-messaging/whatsapp/typing-indicators).
 */
export function showReading(
  api: WhatsAppApi,
  timeoutMs: number = TIMEOUT_MS,
): NonNullable<Channel["showReading"]> {
  return async ({ providerMessageId, to }, signal) => {
    // An id that we gave says nothing to Meta.
    if (!providerMessageId.startsWith("wamid")) return;
    const body = JSON.stringify({
      messaging_product: "whatsapp",
      ...reading(providerMessageId, true),
    });
    const headers = { ...api.headers, "content-type": "application/json" };
    const limits = { timeoutMs, signal };
    // Read to its end, or its connection could not be used again.
    const done = request(
      api.messagesUrl(to),
      { method: "POST", headers, body },
      limits,
      (response) => response.arrayBuffer(),
    );
    await done.catch(() => {});
  };
}

/** What Meta is told about a message that was read. */
export function reading(messageId: string, isTyping: boolean): Record<string, unknown> {
  return {
    status: "read",
    message_id: messageId,
    ...(isTyping && { typing_indicator: { type: "text" } }),
  };
}
