import type { Tx } from "@jobrun/db";
import type { SendOutcome } from "@jobrun/messaging";
import type { ClaimedMessage } from "./claim.ts";
import { stopsMore } from "./stops.ts";
import type { DeliveryTimings } from "./timings.ts";

/** A provider that asks for more is asked again once a day. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

type RecordedStatus = "SENT" | "QUEUED" | "FAILED" | "UNKNOWN" | "DEAD";

export interface Recorded {
  status: RecordedStatus;
  /** Another text of the conversation waits and may go now. */
  next: boolean;
}

/**
 * Writes what became of a send. Only the row as it was claimed is written, so an outcome that comes
 * after the lease ended changes nothing, save one: acceptance is evidence, and settles an UNKNOWN.
 *
 * @param counted false when the provider's failure is known anyway (its breaker is open) and must not
 *   use up the schedule of this text
 * @returns null when the row was no longer ours
 */
export async function recordOutcome(
  statements: Pick<Tx, "$queryRaw">,
  message: Pick<ClaimedMessage, "id" | "attempts" | "failures">,
  outcome: SendOutcome,
  timings: DeliveryTimings,
  counted = true,
): Promise<Recorded | null> {
  const schedule = timings.retryScheduleMs;
  const status = statusAfter(outcome, message.failures, schedule.length, counted);
  const providerId = outcome.kind === "accepted" ? outcome.providerId : null;
  const code = outcome.kind === "accepted" ? null : outcome.code;
  const waitMs = waitAfter(status, outcome, message.failures, timings);
  const failed = outcome.kind === "unavailable" && counted;
  // Behind a text that was not settled nobody is but QUEUED. The other two are named for the index of them all,
  // by conversation: by QUEUED alone the planner may look through the whole outbox.
  // A receipt may have been faster and have written the acceptance: then there is nothing to change.
  const [row] = await statements.$queryRaw<{ next: boolean }[]>`
    UPDATE "Message" m SET
      "status" = CASE WHEN m."status" IN ('QUEUED', 'SENDING', 'UNKNOWN', 'DEAD') THEN ${status}::"MessageStatus" ELSE m."status" END,
      "errorCode" = CASE WHEN m."status" = 'FAILED' THEN m."errorCode" ELSE ${code} END,
      "leasedUntil" = NULL,
      "providerMessageId" = COALESCE(m."providerMessageId", ${providerId}),
      "sentAt" = CASE WHEN ${status === "SENT"} THEN COALESCE(m."sentAt", now()) END,
      "failures" = m."failures" + ${failed ? 1 : 0},
      "unknownSince" = CASE WHEN ${status === "UNKNOWN"} THEN now() END,
      "dueAt" = now() + ${waitMs}::int * interval '1 millisecond'
    WHERE m."id" = ${message.id}::uuid AND m."attempts" = ${message.attempts}
      AND (m."status" = 'SENDING'
        OR ${status === "SENT"} AND (m."status" IN ('QUEUED', 'UNKNOWN', 'DEAD') AND m."providerMessageId" IS NULL OR m."providerMessageId" = ${providerId}))
    RETURNING EXISTS (SELECT 1 FROM "Message" later
      WHERE later."conversationId" = m."conversationId" AND later."position" > m."position"
        AND later."status" IN ('QUEUED', 'SENDING', 'UNKNOWN')) AS "next"`;
  return row === undefined ? null : { status, next: row.next };
}

function statusAfter(
  outcome: SendOutcome,
  failures: number,
  longest: number,
  counted: boolean,
): RecordedStatus {
  switch (outcome.kind) {
    case "accepted":
      return "SENT";
    case "rejected":
      return stopsMore(outcome) ? "QUEUED" : "FAILED";
    case "unknown":
      return "UNKNOWN";
    case "unavailable":
      return counted && failures >= longest ? "DEAD" : "QUEUED";
  }
}

function waitAfter(
  status: RecordedStatus,
  outcome: SendOutcome,
  failures: number,
  { lookUpAfterMs, retryScheduleMs }: DeliveryTimings,
): number {
  if (status === "UNKNOWN") return lookUpAfterMs;
  if (outcome.kind !== "unavailable") return 0;
  const { waitBaseSeconds } = outcome;
  const scheduledMs =
    waitBaseSeconds === undefined
      ? (retryScheduleMs[failures] ?? 0)
      : waitBaseSeconds ** failures * 1000;
  return Math.round(Math.max(scheduledMs, Math.min(outcome.retryAfterMs ?? 0, LONGEST_WAIT_MS)));
}
