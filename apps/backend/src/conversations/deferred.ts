import { newId, type Database } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import { outboxText } from "../outbound/enqueue.ts";
import type { MessageKind } from "../outbound/message-kinds.ts";
import type { Events } from "../telemetry/events.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import { commit, type NewOutbound, type NewText } from "./commit.ts";
import { decide } from "./decide.ts";
import { operatorSender } from "./make-plan.ts";
import { prepare, type Address } from "./prepare.ts";
import { WorldChanged } from "./world-changed.ts";

interface DeferDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  events: Events;
  now: () => number;
}

/** Texts of one customer that are to be stored without an answer. */
export interface TextsToDefer {
  address: Address;
  /** The number of ours that was texted, E.164 */
  texted: string;
  /** Oldest first, at least one */
  texts: Omit<NewText, "id">[];
  /** When this must have ended, milliseconds since the epoch */
  deadline: number;
  /** Whether the customer is told at once that an answer will take longer */
  holding: boolean;
}

/**
 * Stores texts without answering them, all or none. The holding text, if any, is queued unless one is
 * out for this conversation already or the customer wants none. An opt-out counts at once. Needs no
 * assistant.
 *
 * @returns the provider's ids of those stored now; the others were stored before
 * @throws when nothing could be stored
 */
export async function deferTexts(
  { db, events, channels, now }: DeferDeps,
  { address, texted, texts, deadline, holding }: TextsToDefer,
): Promise<string[]> {
  const channel = channels.get(address.channel);
  if (channel === undefined) throw new Error(`no provider carries ${address.channel}`);
  // In every round somebody commits, so a burst of n texts of one customer takes at most n rounds.
  while (now() < deadline) {
    const ids = texts.map((text) => text.providerMessageId);
    const view = await prepare(db, address, texted, ids);
    // The same id twice is the same text.
    const fresh = texts.filter(
      ({ providerMessageId: id }, place) =>
        !view.knownIds.includes(id) && ids.indexOf(id) === place,
    );
    const [first] = fresh;
    if (first === undefined) return [];
    const decision = decide(view, fresh, channel);
    const silent = decision.kind === "fixed" ? decision.reply === null : decision.silent;
    const outbound: NewOutbound[] = [];
    const say = (kind: MessageKind, words: string) =>
      outbound.push({
        ...outboxText(kind, words, address.customer, channel.fitText),
        to: "customer",
      });
    if (holding && !silent && view.deferred.length === 0)
      say("holding", customerTexts.holding[view.tenant.locale]);
    if (decision.confirmation !== null) say("opt_out_confirmation", decision.confirmation);
    try {
      const { requestId } = first;
      const committed = await commit(db, {
        view,
        address,
        texted,
        // Nothing here is for the operator.
        operatorSender: operatorSender(view, undefined),
        requestId,
        inbound: fresh.map((text) => ({ ...text, id: newId() })),
        answered: [],
        status: "DEFERRED",
        outbound,
        job: null,
        urgentAlert: null,
        consent: decision.consent,
        fetchesMedia: channel.fetchMedia !== undefined,
      });
      const { conversationId } = committed;
      const trace = { requestId, tenantId: address.tenantId, conversationId };
      for (const { id: messageId, kind, segments } of committed.outbound)
        events.emit("message_queued", { ...trace, messageId, kind, segments });
      return fresh.map((text) => text.providerMessageId);
    } catch (error) {
      if (!(error instanceof WorldChanged)) throw error;
    }
  }
  throw new WorldChanged("the conversation kept changing until the deadline");
}
