import type { Channel } from "@jobrun/messaging";
import { acceptLater, type AcceptLaterDeps } from "./accept-later.ts";
import { consentChange } from "./decide.ts";
import type { DeferredWorker } from "./deferred-worker.ts";
import type { InboundResult } from "./handle-inbound.ts";
import { storeDeferred, type StoredTexts, type TextsOfOne } from "./store-deferred.ts";
import { inboundText, takeText, type ArrivedText, type TakeTextDeps } from "./take-text.ts";

export interface TakeDeferredDeps extends TakeTextDeps, AcceptLaterDeps {
  deferred: Pick<DeferredWorker, "offer" | "take" | "wake">;
}

/** `deferred`: 200, it is stored and a worker answers it. */
export type TakenResult = InboundResult | { kind: "deferred" };

/**
 * Takes texts of a channel whose webhooks are answered as soon as their texts are stored. Only those
 * of customers are: the tenant's people, those who sign up and numbers of nobody's need no assistant
 * and are answered at once.
 *
 * @param deadline when this try must have ended, milliseconds since the epoch
 * @returns one result for each; nothing is taken after one that failed
 * @throws when they could not be stored
 */
export async function takeDeferred(
  deps: TakeDeferredDeps,
  channel: Channel,
  texts: TextsOfOne,
  deadline: number,
): Promise<TakenResult[]> {
  // From the moment this is acknowledged no text may leave that it forbids: that takes a commit.
  if (texts.some(changesConsent)) return takeByCommit(deps, texts);
  const result = await storeDeferred(deps.db, channel, texts, deps.deferred.offer());
  switch (result.kind) {
    case "duplicate":
      return texts.map(() => ({ kind: "duplicate" }));
    case "not-a-customers":
      return takeEach(deps, texts, deadline);
    case "identifies":
      return takeByCommit(deps, texts);
    case "stored":
      return handOver(deps, texts, result, deadline);
  }
}

function changesConsent({ message }: ArrivedText): boolean {
  return message.silent !== true && consentChange(message.body) !== null;
}

async function takeEach(
  deps: TakeDeferredDeps,
  texts: TextsOfOne,
  deadline: number,
): Promise<TakenResult[]> {
  const results: TakenResult[] = [];
  for (const text of texts) {
    const result = await takeText(deps, text, deadline);
    results.push(result);
    if (result.kind === "failed") break;
  }
  return results;
}

/** Stored as a turn is: with all that follows from who wrote it and what it says about being texted. */
async function takeByCommit(deps: TakeDeferredDeps, texts: TextsOfOne): Promise<TakenResult[]> {
  const { outcome, fresh } = await acceptLater(deps, texts, false);
  const kind = outcome === "deferred" ? "deferred" : "committed";
  return texts.map((text) => {
    if (!fresh.includes(text)) return { kind: "duplicate" };
    if (kind === "deferred") announce(deps, text);
    return { kind };
  });
}

/** To the worker of this process if it has room, else to whoever has. */
function handOver(
  deps: TakeDeferredDeps,
  texts: TextsOfOne,
  { tenantId, fresh, leasedUntil, released }: StoredTexts,
  deadline: number,
): TakenResult[] {
  const results: TakenResult[] = [];
  const stored: ArrivedText[] = [];
  const messageIds = [...fresh.values()];
  for (const text of texts) {
    const { providerMessageId } = text.message;
    const messageId = fresh.get(providerMessageId);
    // The same id twice in one webhook is the same text.
    fresh.delete(providerMessageId);
    results.push({ kind: messageId === undefined ? "duplicate" : "deferred" });
    if (messageId === undefined) continue;
    stored.push(text);
    announce(deps, text, { tenantId, messageId });
  }
  if (released) deps.wakeOutbox();
  const [first] = stored;
  if (first === undefined || leasedUntil === null) deps.deferred.wake();
  else {
    const { address, texted } = inboundText(first, tenantId, deadline);
    const { requestId, message } = first;
    const { providerMessageId } = message;
    deps.deferred.take({
      conversation: { address, texted, providerMessageId, requestId },
      messageIds,
      attempts: 1,
      leasedUntil,
    });
  }
  return results;
}

function announce(
  { events }: TakeDeferredDeps,
  { message, requestId }: ArrivedText,
  ids: { tenantId?: string; messageId?: string } = {},
): void {
  const { providerMessageId } = message;
  events.emit("message_deferred", { requestId, providerMessageId, ...ids });
}
