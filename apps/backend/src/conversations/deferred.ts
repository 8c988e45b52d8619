import { newId, type Database } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import type winston from "winston";
import { outboxText } from "../outbound/enqueue.ts";
import type { Events } from "../telemetry/events.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import { commit } from "./commit.ts";
import type { NewOutbound, NewText } from "./plan.ts";
import { decide } from "./decide.ts";
import { holdAtOnce, type HoldingText } from "./hold-at-once.ts";
import { operatorSender } from "./make-plan.ts";
import { prepare, type Address } from "./prepare.ts";
import { WorldChanged } from "./world-changed.ts";

interface DeferDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  events: Events;
  logger: winston.Logger;
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
 * Stores texts without answering them, all or none. The holding text, if any, is queued unless it was
 * since the oldest text that waits here came, or the customer wants none. An opt-out counts at once.
 * Needs no assistant.
 *
 * @returns the provider's ids of those stored now; the others were stored before
 * @throws when nothing could be stored
 */
export async function deferTexts(
  deps: DeferDeps,
  { address, texted, texts, deadline, holding }: TextsToDefer,
): Promise<string[]> {
  const { db, events, channels, now } = deps;
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
    const wording = (kind: "holding" | "opt_out_confirmation", words: string) =>
      outboxText(kind, words, address.customer, channel.fitText);
    const hold =
      holding && !silent ? wording("holding", customerTexts.holding[view.tenant.locale]) : null;
    // Others that wait here may have come without it, or with it: that is looked at below.
    const isFirst = view.deferred.length === 0;
    if (hold !== null && isFirst) outbound.push({ ...hold, to: "customer" });
    if (decision.confirmation !== null)
      outbound.push({
        ...wording("opt_out_confirmation", decision.confirmation),
        to: "customer",
      });
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
      if (hold !== null && !isFirst) {
        const { channel: name, tenantId } = address;
        await tell(deps, { ...hold, ...trace, tenantId, channel: name, sender: texted });
      }
      return fresh.map((text) => text.providerMessageId);
    } catch (error) {
      if (!(error instanceof WorldChanged)) throw error;
    }
  }
  throw new WorldChanged("the conversation kept changing until the deadline");
}

/** The texts are stored: that this fails must not make them look lost. Who waits for a minute is told then. */
async function tell({ db, events, logger }: DeferDeps, text: HoldingText): Promise<void> {
  const { requestId, tenantId, conversationId, kind, segments } = text;
  try {
    const messageId = await holdAtOnce(db, text);
    if (messageId === null) return;
    events.emit("message_queued", {
      requestId,
      tenantId,
      conversationId,
      messageId,
      kind,
      segments,
    });
  } catch (error) {
    logger.error("the holding text could not be queued", { requestId, error });
  }
}
