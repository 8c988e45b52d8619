import { Prisma, type Tx } from "@jobrun/db";
import { reachedAt, type Reached } from "../jobs/reached-at.ts";
import { senderOf } from "../jobs/sender-of.ts";

/** A job whose conversation and row are locked until the transaction ends. */
export interface LockedJob {
  id: string;
  number: number;
  status: "NEW" | "NEEDS_INFO" | "READY" | "URGENT" | "ACCEPTED" | "DECLINED" | "DONE";
  urgency: string;
  answered: boolean;
  founderTold: boolean;
  conversationId: string;
  channel: string;
  /** The customer's number, or words for the lack of one */
  phone: string;
  /** Where a text to the customer goes */
  recipient: string;
  optedOut: boolean;
  /** The number of ours that the customer knows; null for a tenant without one */
  sender: string | null;
}

/**
 * Finds a job of the transaction's tenant by its short number. Its conversation's revision rises, so
 * that a turn in work plans again with what the operator decided, and texts leave in order.
 */
export async function lockJob(tx: Tx, number: number): Promise<LockedJob | null> {
  const locked = await tx.$executeRaw`
    UPDATE "Conversation" v SET "revision" = "revision" + 1, "updatedAt" = now()
    FROM "Job" j WHERE j."number" = ${number} AND j."conversationId" = v."id"`;
  if (locked === 0) return null;
  // A statement of its own: it sees what the lock was waited for. The row is locked against its timers.
  const [job] = await tx.$queryRaw<(Omit<LockedJob, "phone"> & Reached)[]>`
    SELECT j."id", j."number", j."status"::text AS "status", j."urgency", j."answeredAt" IS NOT NULL AS "answered",
      j."founderToldAt" IS NOT NULL AS "founderTold", v."id" AS "conversationId", v."channel", c."phone", t."locale",
      COALESCE(c."phone", c."userId") AS "recipient",
      c."optedOutAt" IS NOT NULL AS "optedOut", ${senderOf(Prisma.sql`v`)} AS "sender"
    FROM "Job" j JOIN "Conversation" v ON v."id" = j."conversationId" JOIN "Customer" c ON c."id" = v."customerId"
      JOIN "Client" t ON t."id" = v."clientId"
    WHERE j."number" = ${number} FOR UPDATE OF j`;
  return job === undefined ? null : { ...job, phone: reachedAt(job) };
}

type UrgentJobs =
  | { kind: "none" }
  | { kind: "one"; number: number }
  | { kind: "several"; numbers: [number, ...number[]] };

/** What a YES or NO without a number can mean. */
export async function onlyUrgentJob(tx: Tx): Promise<UrgentJobs> {
  const rows = await tx.$queryRaw<{ number: number }[]>`
    SELECT "number" FROM "Job" WHERE "status" = 'URGENT' ORDER BY "number"`;
  const [first, ...rest] = rows.map(({ number }) => number);
  if (first === undefined) return { kind: "none" };
  return rest.length === 0
    ? { kind: "one", number: first }
    : { kind: "several", numbers: [first, ...rest] };
}
