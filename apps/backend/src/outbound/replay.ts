import type { Database, Tx } from "@jobrun/db";
import { maskAddress } from "@jobrun/messaging";

/** A text that was given up on. */
export interface DeadMessage {
  id: string;
  queuedAt: Date;
  /** Masked */
  recipient: string;
  kind: string;
  errorCode: string | null;
  /** Nobody ever knew whether the provider has it: a second copy is possible. */
  mayHaveArrived: boolean;
}

const MOST_LISTED = 500;

/** The texts that were given up on, oldest first, at most 500. */
export async function listDead(db: Database): Promise<DeadMessage[]> {
  const rows = await db.service.message.findMany({
    where: { status: "DEAD" },
    orderBy: { position: "asc" },
    take: MOST_LISTED,
    select: {
      id: true,
      createdAt: true,
      recipient: true,
      kind: true,
      errorCode: true,
      resends: true,
    },
  });
  return rows.map(({ createdAt, recipient, resends, ...row }) => ({
    ...row,
    queuedAt: createdAt,
    recipient: maskAddress(recipient),
    mayHaveArrived: resends > 0,
  }));
}

/**
 * Queues texts that were given up on again, with a new schedule and no end of their life: a person
 * has decided that they are still worth sending. Those of customers who want no more texts stay as they are.
 *
 * @param ids of the texts, or all of them
 * @returns the ids of those that are queued now
 */
export async function replay(
  statements: Pick<Tx, "$queryRaw">,
  ids: string[] | "all",
): Promise<string[]> {
  const rows = await statements.$queryRaw<{ id: string }[]>`
    UPDATE "Message" m SET "status" = 'QUEUED', "failures" = 0, "resends" = 0, "dueAt" = now(), "expiresAt" = NULL
    WHERE m."status" = 'DEAD' AND (${ids === "all"} OR m."id" = ANY(${ids === "all" ? [] : ids}::uuid[]))
      AND NOT EXISTS (SELECT 1 FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId"
        WHERE v."id" = m."conversationId" AND c."optedOutAt" IS NOT NULL)
    RETURNING m."id"`;
  return rows.map(({ id }) => id);
}
