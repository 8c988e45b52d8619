import type { Database, Tx } from "@jobrun/db";
import type { SendOutcome } from "@jobrun/messaging";
import type { AlertService } from "../alerts/alert-service.ts";
import { describeStop } from "../alerts/describe-stop.ts";
import type { Events } from "../telemetry/events.ts";
import type { ClaimedMessage } from "./claim.ts";
import { recordOptOut } from "./opt-out.ts";
import { recordOutcome, type Recorded } from "./record-outcome.ts";
import { stopChannel, stopsMore, type Rejection } from "./stops.ts";
import type { DeliveryTimings } from "./timings.ts";

interface RecordDeps {
  db: Database;
  timings: DeliveryTimings;
  alerts: AlertService;
  events: Events;
}

/**
 * Writes the outcome of a send and, in the same transaction, what follows from a refusal that is about
 * more than this text: a stop with its alert, or an opt-out.
 *
 * @param counted as of `recordOutcome`
 * @returns null when the row was no longer ours
 */
export async function recordSend(
  deps: RecordDeps,
  message: ClaimedMessage,
  outcome: SendOutcome,
  counted: boolean,
): Promise<Recorded | null> {
  const { db, timings } = deps;
  if (outcome.kind === "rejected" && outcome.scope === "opt-out")
    return recordRefusal(deps, message, outcome, "all");
  if (outcome.kind === "rejected" && outcome.scope === "marketing-opt-out")
    return recordRefusal(deps, message, outcome, "marketing");
  if (outcome.kind === "rejected" && stopsMore(outcome))
    return db.serviceTransaction(async (tx) => {
      const recorded = await recordOutcome(tx, message, outcome, timings);
      await stop(deps, tx, message, outcome);
      return recorded;
    });
  return recordOutcome(db.service, message, outcome, timings, counted);
}

async function stop(
  { timings, alerts }: RecordDeps,
  tx: Tx,
  message: ClaimedMessage,
  refusal: Rejection,
): Promise<void> {
  const stopped = await stopChannel(tx, message, refusal, timings.stopProbeMs);
  if (stopped === null) return;
  await alerts.raiseIn(tx, {
    type: "CHANNEL_STOPPED",
    ...describeStop(stopped),
    requestId: message.requestId ?? message.id,
  });
}

async function recordRefusal(
  { db, timings, events }: RecordDeps,
  message: ClaimedMessage,
  refusal: Rejection,
  from: "all" | "marketing",
): Promise<Recorded | null> {
  const { tenantId, recipient: address } = message;
  const [recorded, isNew] = await db.serviceTransaction(async (tx) => [
    await recordOutcome(tx, message, refusal, timings),
    tenantId !== null && (await recordOptOut(tx, { tenantId, address }, from)),
  ]);
  if (isNew) events.emit("opt_out_recorded", { ...traceOf(message), keyword: refusal.code });
  return recorded;
}

/** Tells what became of a text, once that is written. */
export function announceOutcome(
  events: Events,
  message: ClaimedMessage,
  outcome: SendOutcome,
  { status }: Recorded,
): void {
  const trace = { ...traceOf(message), messageId: message.id };
  const code = outcome.kind === "accepted" ? "" : outcome.code;
  switch (status) {
    case "SENT":
      if (outcome.kind === "accepted")
        events.emit("message_sent", {
          ...trace,
          providerMessageId: outcome.providerId,
          attempts: message.attempts,
        });
      return;
    case "FAILED":
      events.emit("message_failed", { ...trace, code });
      return;
    case "UNKNOWN":
      events.emit("message_unknown", { ...trace, code });
      return;
    case "DEAD":
      events.emit("message_dead", trace);
      return;
    case "QUEUED":
      return;
  }
}

/** The ids that the log lines about a text carry. */
export function traceOf(message: ClaimedMessage) {
  return {
    requestId: message.requestId ?? message.id,
    tenantId: message.tenantId ?? undefined,
    conversationId: message.conversationId ?? undefined,
  };
}
