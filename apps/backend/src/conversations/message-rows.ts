import { newId } from "@jobrun/db";
import { kindColumns, type OutboxText } from "../outbound/enqueue.ts";
import type { NewOutbound, Plan } from "./plan.ts";

/** The rows of "Message" that a plan writes, in the order in which they are. */
export function messageRows(plan: Plan, operatorTexts: OutboxText[]) {
  const { address, texted, operatorSender } = plan;
  const inbound = plan.inbound.map((text) => ({
    id: text.id,
    inConversation: true,
    direction: "INBOUND",
    channel: address.channel,
    kind: text.silent ? "silent" : "text",
    sender: address.customer,
    recipient: texted,
    body: text.body,
    media: text.media,
    type: text.type,
    payload: text.payload,
    segments: 1,
    status: plan.status,
    requestId: text.requestId,
    providerMessageId: text.providerMessageId,
    sentAt: text.sentAt === null ? null : text.sentAt / 1000,
    priority: 0,
    lifeSeconds: null,
  }));
  const texts: NewOutbound[] = [
    ...plan.outbound,
    ...operatorTexts.map((text) => ({ ...text, to: "operator" as const })),
  ];
  const outbound = texts.map((text) => ({
    id: newId(),
    ...(text.to === "customer"
      ? { inConversation: true, channel: address.channel, sender: texted }
      : {
          inConversation: false,
          channel: operatorSender.channel,
          sender: operatorSender.number,
        }),
    direction: "OUTBOUND",
    kind: text.kind,
    recipient: text.recipient,
    body: text.body,
    media: [],
    type: "text",
    payload: null,
    segments: text.segments,
    status: "QUEUED",
    requestId: plan.requestId,
    providerMessageId: null,
    sentAt: null,
    ...kindColumns(text.kind),
  }));
  return [...inbound, ...outbound].map((row, order) => ({ ...row, order }));
}

/** When the customer last wrote, by what the plan stores of them; seconds since the epoch. */
export function lastSentAt({ inbound }: Plan): number | null {
  const now = Date.now();
  // A change of number, or of what was said, is no message that opens a window.
  const times = inbound.flatMap(({ silent, sentAt }) => (silent ? [] : (sentAt ?? now) / 1000));
  return times.length === 0 ? null : Math.max(...times);
}
