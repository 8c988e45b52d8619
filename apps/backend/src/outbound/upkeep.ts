import type { Database } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import type winston from "winston";
import type { Events } from "../telemetry/events.ts";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { dropUnwanted, expireLeases } from "./claim.ts";
import { settleUnknown, type Settled } from "./settle.ts";
import type { DeliveryTimings } from "./timings.ts";

export interface UpkeepDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  timings: DeliveryTimings;
  events: Events;
  logger: winston.Logger;
  /** Applies receipts that came before their row was known. */
  applyPendingReceipts: () => Promise<void>;
  /** Called when texts behind a settled one may go. */
  wakeOutbox: () => void;
}

/** Looks after what no send is looking after: claims without an owner, old texts, unknown outcomes, early receipts. */
export function outboxUpkeep(deps: UpkeepDeps): PollLoop {
  const chores: (() => Promise<boolean>)[] = [
    () => endLeases(deps),
    () => drop(deps),
    () => settle(deps),
    async () => {
      await deps.applyPendingReceipts();
      return false;
    },
  ];
  const failure = "the outbox could not be looked after; trying again";
  const outage = new OutageLog(deps.logger, "outbox upkeep", failure);
  return new PollLoop(async () => {
    for (const chore of chores)
      await outage.watch(async () => {
        if (await chore()) deps.wakeOutbox();
      });
  }, deps.timings.pollMs);
}

async function endLeases({ db, events, timings }: UpkeepDeps): Promise<boolean> {
  for (const { id, requestId } of await expireLeases(db, timings.lookUpAfterMs))
    events.emit("message_unknown", {
      requestId: requestId ?? id,
      messageId: id,
      code: "lease-expired",
    });
  return false;
}

async function drop({ db, events }: UpkeepDeps): Promise<boolean> {
  const dropped = await dropUnwanted(db);
  for (const { id, requestId, code } of dropped)
    events.emit("message_failed", { requestId: requestId ?? id, messageId: id, code });
  return dropped.length > 0;
}

async function settle(deps: UpkeepDeps): Promise<boolean> {
  const settled = await settleUnknown(deps.db, deps.channels, deps.timings);
  for (const each of settled) announce(deps, each);
  return settled.length > 0;
}

function announce({ events, logger }: UpkeepDeps, { message, end }: Settled): void {
  const trace = {
    requestId: message.requestId ?? message.id,
    tenantId: message.tenantId,
    conversationId: message.conversationId,
    messageId: message.id,
  };
  switch (end.kind) {
    case "found":
      events.emit("message_sent", {
        ...trace,
        providerMessageId: end.providerId,
        attempts: message.attempts,
      });
      return;
    case "queued-again":
      logger.warn("a text the provider does not have is queued again", trace);
      return;
    case "dead":
      events.emit("message_dead", trace);
      return;
  }
}
