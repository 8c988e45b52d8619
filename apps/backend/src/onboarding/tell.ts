import type { Tx } from "@jobrun/db";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { Events } from "../telemetry/events.ts";
import type { SignUp } from "./sign-up.ts";

/** A text to somebody who signs up, as it was queued. */
export interface Told {
  id: string;
  kind: "onboarding";
  segments: number;
  tenantId: string | null;
}

/** Queues a text to the person, from the number they sign up at, in the caller's transaction. */
export async function tell(
  tx: Tx,
  signUp: SignUp,
  words: string,
  requestId: string,
  channel = "sms",
): Promise<Told> {
  const { tenantId, texted, phone } = signUp;
  const text = outboxText("onboarding", words, phone);
  const id = await enqueue(tx, { ...text, tenantId, channel, sender: texted, requestId });
  return { id, kind: "onboarding", segments: text.segments, tenantId };
}

/** To be called after the commit of what `tell` was a part of. */
export function announceTold(
  { events, wakeOutbox }: { events: Events; wakeOutbox: () => void },
  { id: messageId, kind, segments, tenantId }: Told,
  requestId: string,
): void {
  events.emit("message_queued", { requestId, tenantId, messageId, kind, segments });
  wakeOutbox();
}
