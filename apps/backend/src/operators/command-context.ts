import type { Tx } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { MessageKind } from "../outbound/message-kinds.ts";
import type { Locale } from "../texts/fill.ts";
import type { Timers } from "../timers/timers.ts";
import type { LockedJob } from "./find-job.ts";

/** Who gave a command, to which tenant, in which transaction; and what it led to, for the events. */
export interface CommandContext {
  tx: Tx;
  timers: Timers;
  channels: ReadonlyMap<ChannelName, Channel>;
  tenant: { id: string; name: string; ownerName: string | null };
  locale: Locale;
  /** Whether the operator themselves texts, not their second contact */
  byOwner: boolean;
  /** The number of ours that was texted, E.164 */
  texted: string;
  requestId: string;
  effects: Effects;
}

export interface Effects {
  queued: { messageId: string; kind: string; segments: number; conversationId?: string }[];
  changed: { jobId: string; conversationId: string; status: string; urgency: string }[];
  /** Urgent jobs that nobody had answered before */
  acknowledged: { jobId: string; conversationId: string }[];
}

/**
 * Queues a text to a job's customer, in the order of their conversation.
 *
 * @returns what will be sent
 */
export async function tellCustomer(
  { tx, tenant, requestId, effects, texted, channels }: CommandContext,
  job: LockedJob,
  kind: MessageKind,
  words: string,
): Promise<string> {
  const { conversationId, channel, recipient } = job;
  const text = outboxText(kind, words, recipient, channels.get(channel)?.fitText);
  const sender = job.sender ?? texted;
  const messageId = await enqueue(tx, {
    ...text,
    tenantId: tenant.id,
    conversationId,
    channel,
    sender,
    requestId,
  });
  effects.queued.push({ messageId, kind, segments: text.segments, conversationId });
  return text.body;
}
