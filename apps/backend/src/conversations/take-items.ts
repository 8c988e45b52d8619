import { newId } from "@jobrun/db";
import {
  maskAddress,
  type Channel,
  type InboundMessage,
  type Receipt,
  type WebhookItem,
} from "@jobrun/messaging";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { announceReceipt, applyReceipt } from "../outbound/receipts.ts";
import { takeNotice } from "../outbound/notices.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { acceptLater } from "./accept-later.ts";
import type { TextsOfOne } from "./store-deferred.ts";
import { takeDeferred, type TakenResult, type TakeDeferredDeps } from "./take-deferred.ts";
import { takeText, type ArrivedText } from "./take-text.ts";
import { storeUnroutable } from "./unrouted.ts";

export interface TakeItemsDeps extends TakeDeferredDeps {
  metrics: Metrics;
  alerts: AlertService;
  logger: winston.Logger;
}

interface Arrival {
  /** What the trace of everything in this webhook carries */
  requestId: string;
  /** When the webhook must be answered, milliseconds since the epoch */
  deadline: number;
  /** What the slowest of its messages took so far, milliseconds: none is begun that would not end in time */
  slowestMs?: number;
}

/** Units of work at once: more would take the database from the other webhooks. */
const AT_ONCE = 8;

/** Kept free at the end of the deadline for storing what was not reached; of a short deadline a part. */
const STORING_MS = 2500;
const STORING_PART = 3;
const MARGIN_MS = 500;

/**
 * Takes everything a webhook reports. Each message is a unit of work of its own; those of one sender
 * are taken in their order, and none after one that could not be. Messages that the deadline does not
 * reach are stored to be answered later.
 *
 * @returns whether all of it is written
 */
export async function takeItems(
  deps: TakeItemsDeps,
  channel: Channel,
  items: readonly WebhookItem[],
  arrival: Arrival,
): Promise<boolean> {
  const work = [...unitsOf(items)].map((unit) => () => takeUnit(deps, channel, unit, arrival));
  let complete = true;
  const run = async () => {
    for (let next = work.shift(); next !== undefined; next = work.shift())
      if (!(await next())) complete = false;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  return complete;
}

type Unit = [WebhookItem, ...WebhookItem[]];

/** What must be taken one after the other: a person's messages, and what is said about one of ours. */
function unitsOf(items: readonly WebhookItem[]): Iterable<Unit> {
  const units = new Map<string, Unit>();
  for (const [place, item] of items.entries()) {
    const key = keyOf(item) ?? `item ${place}`;
    const unit = units.get(key);
    if (unit === undefined) units.set(key, [item]);
    else unit.push(item);
  }
  return units.values();
}

function keyOf(item: WebhookItem): string | null {
  if (item.kind === "message") return `from ${item.message.from} to ${item.message.to}`;
  if (item.kind === "receipt") return `about ${item.receipt.providerMessageId}`;
  return null;
}

async function takeUnit(
  deps: TakeItemsDeps,
  channel: Channel,
  unit: Unit,
  arrival: Arrival,
): Promise<boolean> {
  for (const part of channel.processing === "deferred" ? together(unit) : unit.map(alone))
    try {
      if (!(await takePart(deps, channel, part, arrival))) return false;
    } catch (error) {
      const { requestId } = arrival;
      const providerMessageId = idOf(part[0]);
      const errorClass = error instanceof Error ? error.name : "unknown";
      deps.metrics.transactionsFailed.inc();
      deps.alerts.recordTransactionFailure();
      deps.events.emit("transaction_failed", { requestId, providerMessageId, errorClass });
      deps.logger.error("webhook failed", { requestId, error });
      return false;
    }
  return true;
}

function idOf(item: WebhookItem): string | undefined {
  if (item.kind === "message") return item.message.providerMessageId;
  if (item.kind === "receipt") return item.receipt.providerMessageId;
  return item.kind === "unroutable" ? item.providerMessageId : undefined;
}

const alone = (item: WebhookItem): Unit => [item];

/** Messages of one sender are stored together, as long as they say the same about who that is. */
function together(unit: Unit): Unit[] {
  const parts: Unit[] = [];
  let last: Unit | null = null;
  for (const item of unit) {
    if (last !== null && idsOf(item) !== null && idsOf(item) === idsOf(last[0])) last.push(item);
    else parts.push((last = [item]));
  }
  return parts;
}

function idsOf(item: WebhookItem): string | null {
  return item.kind === "message" ? JSON.stringify(item.message.ids ?? {}) : null;
}

async function takePart(
  deps: TakeItemsDeps,
  channel: Channel,
  part: Unit,
  arrival: Arrival,
): Promise<boolean> {
  const [first, ...more] = part;
  switch (first.kind) {
    case "message": {
      const others = more.flatMap((item) => (item.kind === "message" ? [item.message] : []));
      return takeMessages(deps, channel, [first.message, ...others], arrival);
    }
    case "receipt":
      await takeReceipt(deps, first.receipt);
      return true;
    case "notice":
      await takeNotice(deps, first.notice, arrival.requestId);
      return true;
    case "unroutable":
      if ((await storeUnroutable(deps.db, first)) === "stored")
        void deps.alerts.raise({ type: "UNROUTED_MESSAGE", requestId: arrival.requestId });
      return true;
  }
}

async function takeReceipt(deps: TakeItemsDeps, receipt: Receipt): Promise<void> {
  announceReceipt(deps, await applyReceipt(deps.db, receipt));
}

async function takeMessages(
  deps: TakeItemsDeps,
  channel: Channel,
  [message, ...more]: [InboundMessage, ...InboundMessage[]],
  arrival: Arrival,
): Promise<boolean> {
  const { requestId: webhookId } = arrival;
  const arrive = (arrived: InboundMessage) => arrivedText(deps, arrived, webhookId);
  const texts: TextsOfOne = [arrive(message), ...more.map(arrive)];
  const results = await takeOrStore(deps, channel, texts, arrival);
  for (const [index, { kind }] of results.entries()) {
    const text = texts[index];
    if (kind !== "duplicate" || text === undefined) continue;
    const { requestId, message: known } = text;
    const { providerMessageId } = known;
    deps.metrics.duplicates.inc();
    deps.events.emit("duplicate_message_dropped", { requestId, providerMessageId });
  }
  return results.every(({ kind }) => kind !== "failed");
}

function arrivedText(deps: TakeItemsDeps, message: InboundMessage, webhookId: string): ArrivedText {
  const requestId = newId();
  deps.logger.debug("message of a webhook", { requestId, webhookId });
  deps.events.emit("message_received", {
    requestId,
    providerMessageId: message.providerMessageId,
    channel: message.channel,
    from: maskAddress(message.from),
    to: maskAddress(message.to),
  });
  return { message, requestId };
}

/** At once while there is time; else they are stored, and a worker answers. */
async function takeOrStore(
  deps: TakeItemsDeps,
  channel: Channel,
  texts: TextsOfOne,
  arrival: Arrival,
): Promise<TakenResult[]> {
  const { deadline } = arrival;
  if (channel.processing === "deferred") return takeDeferred(deps, channel, texts, deadline);
  const [text] = texts;
  const begun = deps.now();
  const reserveMs = Math.min(STORING_MS, deps.deadlineMs / STORING_PART);
  if (begun < deadline - Math.max(reserveMs, (arrival.slowestMs ?? 0) + MARGIN_MS)) {
    const result = await takeText(deps, text, deadline);
    arrival.slowestMs = Math.max(arrival.slowestMs ?? 0, deps.now() - begun);
    return [result];
  }
  // A worker is at it in a moment; who waits for long is told so then.
  const { outcome } = await acceptLater(deps, texts, false);
  if (outcome !== "deferred") return [{ kind: outcome === "duplicate" ? outcome : "committed" }];
  const { requestId, message } = text;
  const { providerMessageId } = message;
  deps.events.emit("message_deferred", { requestId, providerMessageId });
  return [{ kind: "deferred" }];
}
