import { sqlState, type Database } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import { definitionOf } from "./message-kinds.ts";
import type { DeliveryTimings } from "./timings.ts";

interface UnknownMessage {
  id: string;
  tenantId: string | null;
  conversationId: string | null;
  requestId: string | null;
  channel: string;
  kind: string;
  sender: string;
  recipient: string;
  body: string;
  attempts: number;
  resends: number;
  createdAt: Date;
  /** For how long nobody knows, before anything was looked up. */
  unknownMs: number;
}

/** How an unknown ended. */
export interface Settled {
  message: UnknownMessage;
  end:
    | { kind: "found"; providerId: string }
    /** Nothing shows that the provider has it. */
    | { kind: "queued-again" }
    | { kind: "dead" };
}

/** With evidence that it was not sent, a text is sent again this often. */
const RESENDS = 2;
/** Without any evidence, a text that matters is. */
const BLIND_RESENDS = 1;
const BATCH = 20;
/** Longer than a look-up takes: nobody else looks meanwhile. */
const LOOK_UP_LEASE_MS = 30_000;
/** The provider's clock and ours may differ, and its times are whole seconds. */
const CLOCK_MARGIN_MS = 60_000;
const UNIQUE_VIOLATION = "23505"; // https://www.postgresql.org/docs/current/errcodes-appendix.html

/**
 * Settles the UNKNOWN texts whose time has come, by evidence: the provider is asked for a text with
 * the same numbers and words that belongs to no other row. Only a complete answer that shows nothing,
 * given when no send can be under way any more, sends it again.
 *
 * @returns those that are settled; the others are looked up again later
 */
export async function settleUnknown(
  db: Database,
  channels: ReadonlyMap<ChannelName, Channel>,
  timings: DeliveryTimings,
): Promise<Settled[]> {
  const due = await claimLookUps(db);
  const ends = await Promise.all(
    due.map(async (message) => ({ message, end: await settle(db, channels, timings, message) })),
  );
  return ends.flatMap(({ message, end }) => (end === null ? [] : [{ message, end }]));
}

function claimLookUps(db: Database): Promise<UnknownMessage[]> {
  return db.service.$queryRaw<UnknownMessage[]>`
    UPDATE "Message" m SET "dueAt" = now() + ${LOOK_UP_LEASE_MS}::int * interval '1 millisecond'
    WHERE m."id" IN (SELECT "id" FROM "Message" WHERE "status" = 'UNKNOWN' AND "dueAt" <= now()
      ORDER BY "dueAt" LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
    RETURNING m."id", m."clientId" AS "tenantId", m."conversationId", m."requestId", m."channel", m."kind", m."sender",
      m."recipient", m."body", m."attempts", m."resends", m."createdAt",
      extract(epoch FROM now() - m."unknownSince")::float8 * 1000 AS "unknownMs"`;
}

async function settle(
  db: Database,
  channels: ReadonlyMap<ChannelName, Channel>,
  timings: DeliveryTimings,
  message: UnknownMessage,
): Promise<Settled["end"] | null> {
  const log = channels.get(message.channel as ChannelName)?.log;
  if (log === undefined) {
    const limit = definitionOf(message.kind).resendWithoutEvidence ? BLIND_RESENDS : 0;
    return giveUpOnEvidence(db, message, timings.resendWithoutLogMs, limit);
  }
  const { sender: from, recipient: to, body, createdAt } = message;
  const since = new Date(createdAt.getTime() - CLOCK_MARGIN_MS);
  const signal = AbortSignal.timeout(LOOK_UP_LEASE_MS - 5_000);
  const answer = await log.accepted({ from, to, body, since }, signal);
  if (answer.kind === "failed") {
    await lookAgainIn(db, message, timings.lookUpAfterMs);
    return null;
  }
  for (const providerId of answer.found)
    if (await takeEvidence(db, message, providerId)) return { kind: "found", providerId };
  return giveUpOnEvidence(db, message, timings.resendAfterMs, RESENDS);
}

/** One text at the provider proves one row. */
async function takeEvidence(
  db: Database,
  message: UnknownMessage,
  providerId: string,
): Promise<boolean> {
  try {
    const written = await db.service.$executeRaw`
      UPDATE "Message" SET "status" = 'SENT', "providerMessageId" = ${providerId}, "errorCode" = NULL, "unknownSince" = NULL,
        "sentAt" = now()
      WHERE "id" = ${message.id}::uuid AND "status" = 'UNKNOWN' AND "attempts" = ${message.attempts}
        AND NOT EXISTS (SELECT 1 FROM "Message" WHERE "providerMessageId" = ${providerId})`;
    return written === 1;
  } catch (error) {
    if (sqlState(error) === UNIQUE_VIOLATION) return false;
    throw error;
  }
}

/** Not found. Too early to say: looked up again later. Else it is queued again, or given up on. */
async function giveUpOnEvidence(
  db: Database,
  message: UnknownMessage,
  afterMs: number,
  resends: number,
): Promise<Settled["end"] | null> {
  if (message.unknownMs < afterMs) {
    await lookAgainIn(db, message, afterMs - message.unknownMs);
    return null;
  }
  const again = message.resends < resends;
  const written = await db.service.$executeRaw`
    UPDATE "Message" SET "status" = ${again ? "QUEUED" : "DEAD"}::"MessageStatus", "unknownSince" = NULL, "dueAt" = now(),
      "resends" = "resends" + ${again ? 1 : 0}
    WHERE "id" = ${message.id}::uuid AND "status" = 'UNKNOWN' AND "attempts" = ${message.attempts}`;
  if (written !== 1) return null;
  return { kind: again ? "queued-again" : "dead" };
}

async function lookAgainIn(db: Database, { id }: UnknownMessage, waitMs: number): Promise<void> {
  await db.service.$executeRaw`
    UPDATE "Message" SET "dueAt" = now() + ${Math.ceil(waitMs)}::int * interval '1 millisecond'
    WHERE "id" = ${id}::uuid AND "status" = 'UNKNOWN'`;
}
