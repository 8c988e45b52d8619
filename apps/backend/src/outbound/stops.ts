import { Prisma, type Database, type Tx } from "@jobrun/db";
import { callingCode, type SendOutcome } from "@jobrun/messaging";
import type { Stop } from "../alerts/describe-stop.ts";
import { claimedColumns, IS_NEXT, IS_WANTED, type ClaimedMessage } from "./claim.ts";

export type Rejection = Extract<SendOutcome, { kind: "rejected" }>;

/** A refusal that holds for more than this text: it waits in the outbox, with all it holds for. */
export function stopsMore(refusal: Rejection): boolean {
  return STOPPED[refusal.scope] !== undefined;
}

type Covered = (message: Pick<ClaimedMessage, "sender" | "recipient">) => {
  sender: string;
  recipientPrefix: string;
};

/** What a refusal holds for. An empty sender or prefix stands for all of them. */
const STOPPED: Partial<Record<Rejection["scope"], Covered>> = {
  account: () => ({ sender: "", recipientPrefix: "" }),
  sender: ({ sender }) => ({ sender, recipientPrefix: "" }),
  // One customer abroad must not silence the others.
  region: ({ recipient }) => ({ sender: "", recipientPrefix: callingCode(recipient) ?? recipient }),
  "unverified-recipient": ({ recipient }) => ({ sender: "", recipientPrefix: recipient }),
};

/** SQL: the stop holds back the text `q` of its channel. */
function covers(stop: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`${stop}."sender" IN ('', q."sender") AND starts_with(q."recipient", ${stop}."recipientPrefix")
    AND ${stop}."kind" IN ('', q."kind")`;
}

/**
 * Stops what the refusal of this text holds for, until a probe passes.
 *
 * @returns the stop; null for a refusal that holds for this text only
 */
export async function stopChannel(
  tx: Tx,
  message: Pick<ClaimedMessage, "channel" | "sender" | "recipient">,
  { scope, code }: Rejection,
  probeMs: number,
): Promise<Stop | null> {
  const covered = STOPPED[scope]?.(message);
  if (covered === undefined) return null;
  await tx.$executeRaw`
    INSERT INTO "ChannelStop" ("channel", "sender", "recipientPrefix", "code", "probeAt")
    VALUES (${message.channel}, ${covered.sender}, ${covered.recipientPrefix}, ${code},
      now() + ${probeMs}::int * interval '1 millisecond')
    ON CONFLICT ("channel", "sender", "recipientPrefix", "kind") DO UPDATE
      SET "code" = EXCLUDED."code", "probeAt" = EXCLUDED."probeAt"`;
  return { channel: message.channel, ...covered, code };
}

/**
 * Claims, for each stop whose time has come, the oldest text it holds back and that is due: it finds
 * out whether the stop still holds. A stop that holds nothing back is over.
 */
export async function claimProbes(
  db: Database,
  channels: string[],
  timings: { leaseMs: number; stopProbeMs: number },
): Promise<ClaimedMessage[]> {
  return db.service.$queryRaw<ClaimedMessage[]>`
    WITH gone AS (
      DELETE FROM "ChannelStop" s WHERE s."probeAt" <= now() AND s."channel" = ANY(${channels}) AND NOT EXISTS (
        SELECT 1 FROM "Message" q WHERE q."status" IN ('QUEUED', 'SENDING', 'UNKNOWN') AND q."channel" = s."channel"
          AND ${covers(Prisma.sql`s`)})
      RETURNING *
    ), stop AS (
      UPDATE "ChannelStop" SET "probeAt" = now() + ${timings.stopProbeMs}::int * interval '1 millisecond'
      WHERE "probeAt" <= now() AND "channel" = ANY(${channels})
        AND NOT EXISTS (SELECT 1 FROM gone WHERE (gone."channel", gone."sender", gone."recipientPrefix", gone."kind")
          = ("ChannelStop"."channel", "ChannelStop"."sender", "ChannelStop"."recipientPrefix", "ChannelStop"."kind"))
      RETURNING *
    ), probe AS (
      SELECT (SELECT q."id" FROM "Message" q
        WHERE q."status" = 'QUEUED' AND q."dueAt" <= now() AND q."channel" = stop."channel" AND ${covers(Prisma.sql`stop`)}
          AND ${IS_WANTED} AND ${IS_NEXT}
        ORDER BY q."position" LIMIT 1) AS "id"
      FROM stop
    )
    UPDATE "Message" m
    SET "status" = 'SENDING', "attempts" = m."attempts" + 1,
      "leasedUntil" = now() + ${timings.leaseMs}::int * interval '1 millisecond'
    WHERE m."id" IN (SELECT "id" FROM probe) AND m."status" = 'QUEUED'
    RETURNING ${claimedColumns}`;
}

/** The provider took a text that was held back: nothing that covers it holds any more. */
export async function liftStops(
  db: Database,
  { channel, sender, recipient, kind }: ClaimedMessage,
): Promise<void> {
  await db.service.$executeRaw`
    DELETE FROM "ChannelStop" WHERE "channel" = ${channel} AND "sender" IN ('', ${sender})
      AND starts_with(${recipient}, "recipientPrefix") AND "kind" IN ('', ${kind})`;
}
