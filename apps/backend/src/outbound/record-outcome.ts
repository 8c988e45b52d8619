import type { Database } from "@jobrun/db";
import type { SendOutcome } from "@jobrun/messaging";

/** Waits before the tries after the first, in seconds. When they are used up the text is DEAD. */
const SCHEDULE_SECONDS = [15, 60, 5 * 60, 15 * 60, 3600, 3 * 3600, 6 * 3600];

export type RecordedStatus = "SENT" | "QUEUED" | "FAILED" | "UNKNOWN" | "DEAD";

/**
 * Writes what became of a send. Only the row as it was claimed is written, so an outcome that comes
 * after the lease ended changes nothing, save one: acceptance is evidence, and settles an UNKNOWN.
 *
 * @param attempts the attempt the outcome belongs to, counted by the claim
 * @returns the status the row has now, or null when it was no longer ours
 */
export async function recordOutcome(
  db: Database,
  id: string,
  attempts: number,
  outcome: SendOutcome,
): Promise<RecordedStatus | null> {
  const next = statusAfter(outcome, attempts);
  const providerId = outcome.kind === "accepted" ? outcome.providerId : null;
  const code = outcome.kind === "accepted" ? null : outcome.code;
  const waitSeconds =
    next === "QUEUED"
      ? Math.max(SCHEDULE_SECONDS[attempts - 1] ?? 0, retryAfterSeconds(outcome))
      : 0;
  const written = await db.service.$executeRaw`
    UPDATE "Message" SET "status" = ${next}::"MessageStatus", "errorCode" = ${code}, "leasedUntil" = NULL,
      "twilioSid" = COALESCE(${providerId}, "twilioSid"),
      "sentAt" = CASE WHEN ${next === "SENT"} THEN now() END,
      "dueAt" = now() + make_interval(secs => ${waitSeconds})
    WHERE "id" = ${id}::uuid AND "attempts" = ${attempts}
      AND ("status" = 'SENDING' OR (${next === "SENT"} AND "status" = 'UNKNOWN'))`;
  return written === 1 ? next : null;
}

function statusAfter(outcome: SendOutcome, attempts: number): RecordedStatus {
  switch (outcome.kind) {
    case "accepted":
      return "SENT";
    case "rejected":
      return "FAILED";
    case "unknown":
      return "UNKNOWN";
    case "unavailable":
      return attempts > SCHEDULE_SECONDS.length ? "DEAD" : "QUEUED";
  }
}

function retryAfterSeconds(outcome: SendOutcome): number {
  return outcome.kind === "unavailable" ? (outcome.retryAfterMs ?? 0) / 1000 : 0;
}
