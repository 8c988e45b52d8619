import { newId, sqlState, type Database, type Tx } from "@jobrun/db";
import type { Receipt } from "@jobrun/messaging";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Events } from "../telemetry/events.ts";
import { recordOptOut } from "./opt-out.ts";
import { stopChannel, stopsMore } from "./stops.ts";
import { DELIVERY } from "./timings.ts";

/**
 * How far a text has come. A receipt only ever lifts it, so the end is the same whatever the order
 * and the number of receipts; only a refusal because of us, see `update`, has it sent again. Whoever
 * has the text in hand (DELIVERED) has it despite a FAILED.
 */
const RANK = {
  QUEUED: 0,
  SENDING: 1,
  UNKNOWN: 1,
  DEAD: 1,
  // Put aside after an attempt of which nobody knew: a receipt proves that it was sent after all.
  HELD: 1,
  SENT: 2,
  FAILED: 3,
  DELIVERED: 4,
  READ: 5,
} as const;

type OutboundStatus = keyof typeof RANK;

/** The text a receipt is about. */
interface Reported {
  messageId: string;
  tenantId: string | null;
  conversationId: string | null;
  /** Of the webhook the text answers; without one, the id of the text. */
  requestId: string;
  providerMessageId: string;
}

/** What became of a receipt. The provider is told 204 in each case. */
export type AppliedReceipt =
  /**
   * The row has the receipt's status now; with `again` it is QUEUED instead, since it was refused because of us.
   * `optedOut`: its customer is recorded as opted out, newly.
   */
  | (Reported & {
      kind: "applied";
      status: Receipt["status"];
      code: string | null;
      previous: OutboundStatus;
      attempts: number;
      again: boolean;
      optedOut: boolean;
    })
  /** The row is as far as that, or further; or it is an inbound one, which no receipt touches. */
  | { kind: "stale" }
  /** The text has another id at the provider already: it was accepted twice. Nothing was changed. */
  | (Reported & { kind: "contradiction" })
  /** No row is known by these ids yet: kept for an hour, see `applyPendingReceipts`. */
  | { kind: "unmatched" };

/**
 * Writes what the provider says about a text of ours: one round trip, save for an opt-out.
 *
 * @throws when nothing was written
 */
export async function applyReceipt(db: Database, receipt: Receipt): Promise<AppliedReceipt> {
  const apply = async () =>
    receipt.optOut !== undefined || receipt.scope !== undefined
      ? db.serviceTransaction((tx) => applyWider(tx, receipt))
      : resultOf(await update(db.service, receipt), receipt, false);
  try {
    return await apply();
  } catch (error) {
    // Another row was given this provider id at the same instant; by now it is found by that id.
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    return apply();
  }
}

const UNIQUE_VIOLATION = "23505"; // https://www.postgresql.org/docs/current/errcodes-appendix.html

/** At most so many in one go; the rest has its turn a second later. */
const BATCH = 200;

/**
 * Applies the receipts that came before their row knew its provider id, and forgets those whose row
 * has not appeared within an hour. One round trip while there are none. Several processes may do it
 * at once, and one may die in the middle: applied again, a receipt changes nothing.
 *
 * @returns what became of those whose row exists by now
 */
export async function applyPendingReceipts(db: Database): Promise<AppliedReceipt[]> {
  const due = await db.service.$queryRaw<PendingReceipt[]>`
    SELECT p.* FROM (
      SELECT "id", "provider", "providerMessageId", "messageId", "status"::text AS "status", "code", "optOut",
        "participant", "receivedAt",
        EXISTS (SELECT 1 FROM "Message" m
          WHERE m."providerMessageId" = "PendingReceipt"."providerMessageId" OR m."id" = "messageId") AS "known"
      FROM "PendingReceipt"
    ) p WHERE p."known" OR p."receivedAt" < now() - interval '1 hour'
    ORDER BY p."receivedAt" LIMIT ${BATCH}`;
  if (due.length === 0) return [];
  const applied: AppliedReceipt[] = [];
  for (const { id: _, known, optOut, ...receipt } of due)
    if (known)
      applied.push(await applyReceipt(db, { ...receipt, ...(optOut !== null && { optOut }) }));
  await db.service.$executeRaw`
    DELETE FROM "PendingReceipt" WHERE "id" = ANY(${due.map(({ id }) => id)}::uuid[])`;
  return applied;
}

type PendingReceipt = Omit<Receipt, "optOut"> & {
  id: string;
  known: boolean;
  optOut: "all" | "marketing" | null;
};

interface AnnounceDeps {
  events: Events;
  alerts: AlertService;
  logger: winston.Logger;
  wakeOutbox: () => void;
}

/** Tells what a receipt changed, and lets the texts behind the one it settled go. */
export function announceReceipt(deps: AnnounceDeps, applied: AppliedReceipt): void {
  switch (applied.kind) {
    case "stale":
    case "unmatched":
      return;
    case "contradiction": {
      const { kind: _, ...text } = applied;
      deps.logger.error("a text of ours was accepted twice by the provider", text);
      void deps.alerts.raise({
        type: "INVARIANT_VIOLATION",
        resource: "message-sent-twice",
        summary: "The provider has accepted a text of ours twice",
        requestId: text.requestId,
      });
      return;
    }
    case "applied":
      announceApplied(deps, applied);
  }
}

function announceApplied(
  { events, logger, wakeOutbox }: AnnounceDeps,
  applied: Extract<AppliedReceipt, { kind: "applied" }>,
): void {
  const { kind: _, status, code, previous, attempts, again, optedOut, ...text } = applied;
  const wasOpen = RANK[previous] < RANK.SENT;
  // The send of a SENDING one is under way, and announces it with its own outcome.
  if (wasOpen && previous !== "SENDING" && status !== "FAILED")
    events.emit("message_sent", { ...text, attempts });
  events.emit("receipt_applied", { ...text, status, rank: RANK[status] });
  if (again)
    logger.warn("a text that was refused because of us is queued again", { ...text, code });
  else if (status === "FAILED") events.emit("message_failed", { ...text, code: code ?? "unknown" });
  if (optedOut) {
    const { messageId: _id, ...trace } = text;
    events.emit("opt_out_recorded", { ...trace, keyword: code ?? "unknown" });
  }
  if (wasOpen) wakeOutbox();
}

/** What follows from a FAILED that is about more than its text stands or falls with it. */
async function applyWider(tx: Tx, receipt: Receipt): Promise<AppliedReceipt> {
  const row = await update(tx, receipt);
  const { scope, code } = receipt;
  if (row?.applied === true && scope !== undefined && code !== null)
    await stopChannel(tx, row, { kind: "rejected", scope, code }, DELIVERY.stopProbeMs);
  const optedOut =
    row?.applied === true &&
    row.tenantId !== null &&
    receipt.optOut !== undefined &&
    (await recordOptOut(tx, { tenantId: row.tenantId, address: row.recipient }, receipt.optOut));
  return resultOf(row, receipt, optedOut);
}

interface Row {
  applied: boolean;
  again: boolean;
  id: string;
  tenantId: string | null;
  conversationId: string | null;
  requestId: string | null;
  channel: string;
  sender: string;
  recipient: string;
  attempts: number;
  previous: OutboundStatus;
  knownAs: string | null;
}

/**
 * The row is the one with this provider id; only where no row has it, the one with our id, which
 * must not have another. `found` takes its lock, so that `previous` is what the update replaces. An
 * inbound text has no status with a rank.
 *
 * A refusal because of us proves that the text was not delivered, so it goes back to its place in the
 * outbox, by the schedule, as long as that lasts. It is the refusal of this send when it names the id
 * the row has, or when the row has had one send only. From then on the row has no id, and one more
 * attempt, so that the answer to that send is no longer recorded; `sentAt` shows that what comes late
 * about the old id is no news, unless it was delivered after all.
 */
async function update(db: Pick<Tx, "$queryRaw">, receipt: Receipt): Promise<Row | undefined> {
  const { provider, providerMessageId, messageId, status, code } = receipt;
  const isAboutUs =
    receipt.scope !== undefined &&
    receipt.participant === undefined &&
    stopsMore({ kind: "rejected", code: code ?? "", scope: receipt.scope });
  const waitsMs = isAboutUs ? DELIVERY.retryScheduleMs : [];
  const lower = Object.entries(RANK).flatMap(([name, rank]) => (rank < RANK[status] ? [name] : []));
  const [row] = await db.$queryRaw<Row[]>`
    WITH found AS (
      SELECT "id", "status", "providerMessageId", "clientId", "conversationId", "requestId", "channel", "sender", "recipient",
        "attempts", "sentAt",
        CASE WHEN "kind" <> 'founder_alert' AND ("status" = 'SENT' AND "providerMessageId" = ${providerMessageId}
            OR "status" IN ('SENDING', 'UNKNOWN') AND "providerMessageId" IS NULL AND "sentAt" IS NULL AND "resends" = 0)
          THEN (${waitsMs}::int[])["failures" + 1] END AS "againMs"
      FROM "Message"
      WHERE "id" = COALESCE((SELECT "id" FROM "Message" WHERE "providerMessageId" = ${providerMessageId}), ${messageId}::uuid)
      FOR UPDATE
    ), applied AS (
      UPDATE "Message" m SET "sentAt" = COALESCE(m."sentAt", now()), "errorCode" = ${code}, "unknownSince" = NULL,
        "leasedUntil" = NULL,
        "status" = CASE WHEN "againMs" IS NULL THEN ${status} ELSE 'QUEUED' END::"MessageStatus",
        "providerMessageId" = CASE WHEN "againMs" IS NULL THEN ${providerMessageId} END,
        "failures" = m."failures" + ("againMs" IS NOT NULL)::int, "attempts" = m."attempts" + ("againMs" IS NOT NULL)::int,
        "dueAt" = COALESCE(now() + "againMs" * interval '1 millisecond', m."dueAt")
      FROM found
      WHERE m."id" = found."id" AND m."status" = ANY(${lower}::"MessageStatus"[])
        AND (found."providerMessageId" IS NULL OR found."providerMessageId" = ${providerMessageId})
        AND NOT (found."status" IN ('QUEUED', 'HELD')
          AND (${isAboutUs} OR ${status === "SENT"} AND found."sentAt" IS NOT NULL))
      RETURNING 1
    ), kept AS (
      INSERT INTO "PendingReceipt" ("id", "provider", "providerMessageId", "messageId", "status", "code", "optOut",
        "participant")
      SELECT ${newId()}::uuid, ${provider}, ${providerMessageId}, ${messageId}::uuid, ${status}::"MessageStatus", ${code},
        ${receipt.optOut ?? null}, ${receipt.participant ?? ""}
      WHERE NOT EXISTS (SELECT 1 FROM found)
      ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (SELECT 1 FROM applied) AS "applied", "againMs" IS NOT NULL AS "again", "id",
      "clientId" AS "tenantId", "conversationId", "requestId", "channel", "sender", "recipient", "attempts", "status"::text AS "previous",
      "providerMessageId" AS "knownAs"
    FROM found`;
  return row;
}

function resultOf(row: Row | undefined, receipt: Receipt, optedOut: boolean): AppliedReceipt {
  if (row === undefined) return { kind: "unmatched" };
  const { providerMessageId, status, code } = receipt;
  const { id: messageId, tenantId, conversationId, requestId, previous, attempts, again } = row;
  const text = {
    messageId,
    tenantId,
    conversationId,
    requestId: requestId ?? messageId,
    providerMessageId,
  };
  if (row.applied)
    return { ...text, kind: "applied", status, code, previous, attempts, again, optedOut };
  // The refusal of one send does not make two of them.
  if (row.knownAs !== null && row.knownAs !== providerMessageId && status !== "FAILED")
    return { ...text, kind: "contradiction" };
  return { kind: "stale" };
}
