import { setTimeout as delay } from "node:timers/promises";
import type { Refusal, SentMessage, WhatsAppSend } from "@jobrun/simulator";

const QUIET_MS = 1_500;
const REFUSED = "event: refused\ndata: ";

/** What the simulator's stream of events tells; the texts of SMS name no channel. */
type Sent = (SentMessage & { channel?: undefined }) | (WhatsAppSend & { channel: "whatsapp" });

/**
 * Prints the texts from one number to another as they are sent, and those the provider refused, until the stream is
 * aborted. `first` resolves with true at the first, with false if the stream ends before; `quiet` resolves when none
 * has come for a while; `refused` tells whether one was.
 *
 * @param stream the simulator's /admin/events
 * @param ends the person's number, E.164, and the business's; null: any
 */
export function printReplies(
  stream: ReadableStream<Uint8Array>,
  { from, to, channel = "sms" }: { from: string; to: string | null; channel?: "sms" | "whatsapp" },
) {
  const first = Promise.withResolvers<boolean>();
  let lastAt = Date.now();
  let refused = false;
  const read = async (): Promise<void> => {
    let pending = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      const events = (pending + chunk).split("\n\n");
      pending = events.pop() ?? "";
      for (const event of events) {
        if (event.startsWith(REFUSED)) {
          const refusal = JSON.parse(event.slice(REFUSED.length)) as Refusal;
          if (refusal.channel !== channel || refusal.to !== from) continue;
          refused = true;
          const { code, message } = refusal;
          console.log(`          a reply was refused by the simulator: ${code} ${message}`);
          continue;
        }
        if (!event.startsWith("data: ")) continue;
        const sent = JSON.parse(event.slice("data: ".length)) as Sent;
        if ((sent.channel ?? "sms") !== channel) continue;
        if (sent.to !== from || (to !== null && sent.from !== to)) continue;
        sayAt(new Date(sent.at), `${sent.from}: ${sent.body}`);
        lastAt = Date.now();
        first.resolve(true);
      }
    }
  };
  // The stream ends with an error when it is aborted, or when the simulator stops: either way nothing more will come.
  read().then(
    () => first.resolve(false),
    () => first.resolve(false),
  );
  const quiet = async (): Promise<void> => {
    while (Date.now() - lastAt < QUIET_MS) await delay(QUIET_MS - (Date.now() - lastAt));
  };
  return { first: first.promise, quiet, refused: () => refused };
}

/** One text of the conversation, its further lines below the first. */
export function sayAt(at: Date, text: string): void {
  console.log(`${at.toTimeString().slice(0, 8)}  ${text.replaceAll("\n", "\n          ")}`);
}

/** What the gateway answered to each request. */
export function sayRequests(requests: WebhookRequests): void {
  for (const { url, error, status, contentType, body } of requests) {
    const answer = error ?? [status, contentType, body].filter(Boolean).join(" ");
    console.log(`          webhook ${new URL(url).pathname}: ${answer}`);
  }
}

type WebhookRequests = {
  url: string;
  error: string | null;
  status: number | null;
  contentType: string | null;
  body: string;
}[];
