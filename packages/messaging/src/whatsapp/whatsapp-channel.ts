import type { Channel, ChannelWebhook, OutboundMessage, SendOutcome } from "../channel.ts";
import type { WhatsAppApi } from "./api.ts";
import { readContent } from "./content.ts";
import { PAIR_RATE } from "./error-table.ts";
import { fitText } from "./fit-text.ts";
import { fetchMedia } from "./media.ts";
import { pairRate } from "./pair-rate.ts";
import { request } from "./request.ts";
import {
  messageId,
  outcomeOfAnswer,
  outcomeWithoutAnswer,
  type ReadAcceptance,
} from "./send-outcome.ts";
import { showReading } from "./show-reading.ts";

export interface WhatsAppOptions {
  provider: string;
  /** Null without credentials: everything is refused until there are some. */
  api: WhatsAppApi | null;
  webhook: ChannelWebhook;
  processing: Channel["processing"];
  /** Longest time one attempt to send may take. */
  attemptTimeoutMs: number;
}

// The default of a number, in and out (…/whatsapp/throughput).
const MESSAGES_PER_SECOND = 80;
// The customer service window (…/whatsapp/messages/send-messages).
const WINDOW_MS = 24 * 60 * 60 * 1000;
const MARK_READ = "mark_read";

/** WhatsApp by Meta's messages API, whoever passes it on. */
export function whatsAppChannel(options: WhatsAppOptions): Channel {
  const { provider, api, webhook, processing, attemptTimeoutMs } = options;
  const pairs = pairRate();

  return {
    name: "whatsapp",
    provider,
    processing,
    rate: { perSecond: MESSAGES_PER_SECOND, burstSeconds: 1 },
    answersKeywords: false,
    ownsEveryNumber: false,
    windowMs: WINDOW_MS,
    fitText,
    readContent,
    webhook,

    async send(message, signal) {
      if (signal.aborted) return { kind: "unavailable", code: "aborted" };
      if (!api) return { kind: "rejected", code: "not-configured", scope: "account" };
      const isMarkRead = message.content?.type === MARK_READ;
      if (!isMarkRead && !pairs.take(message.from, message.to)) {
        return { ...PAIR_RATE, code: "pair-rate" };
      }
      const readAcceptance = isMarkRead ? readMarked(message.id) : messageId;
      return post(api, message, { timeoutMs: attemptTimeoutMs, signal }, readAcceptance);
    },

    ...(api && { showReading: showReading(api), fetchMedia: fetchMedia(api) }),
  };
}

async function post(
  api: WhatsAppApi,
  message: OutboundMessage,
  limits: { timeoutMs: number; signal: AbortSignal },
  readAcceptance: ReadAcceptance,
): Promise<SendOutcome> {
  const headers = { ...api.headers, "content-type": "application/json" };
  const body = JSON.stringify(bodyOf(message));
  try {
    return await request(
      api.messagesUrl(message.from),
      { method: "POST", headers, body },
      limits,
      async (response) => {
        const { status, headers: answered } = response;
        const answer = { status, headers: answered, body: await response.text() };
        return outcomeOfAnswer(answer, readAcceptance);
      },
    );
  } catch (error) {
    return outcomeWithoutAnswer(error);
  }
}

function bodyOf({ id, to, body, content }: OutboundMessage): Record<string, unknown> {
  const type = content?.type ?? "text";
  const payload = content?.payload ?? { text: { body, preview_url: false } };
  if (type === MARK_READ) return { messaging_product: "whatsapp", ...payload };
  return {
    messaging_product: "whatsapp",
    recipient_type: "individual",
    // Without "+" Meta would take a number for one of our own country.
    ...(to.startsWith("+") ? { to } : { recipient: to }),
    type,
    ...payload,
    biz_opaque_callback_data: id,
  };
}

/** What is marked as read gets no id of Meta's. */
function readMarked(ownId: string): ReadAcceptance {
  return (body) => {
    const { success } = (body ?? {}) as { success?: unknown };
    return success === true ? `read:${ownId}` : undefined;
  };
}
