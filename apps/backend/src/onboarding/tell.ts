import type { Tx } from "@jobrun/db";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { SignUp } from "./sign-up.ts";

/** A text to somebody who signs up, as it was queued. */
export interface Told {
  id: string;
  kind: "onboarding";
  segments: number;
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
  return { id, kind: "onboarding", segments: text.segments };
}
