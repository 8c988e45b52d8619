import { Prisma, type Database } from "@jobrun/db";
import type { Logger } from "winston";
import { REMEMBERED_DAYS } from "../admin/erase.ts";

/** One statement deletes at most this many rows, so that none runs into the limit of the server. */
const BATCH = 1000;

/**
 * What the gateway keeps for itself and for how long. What customers wrote and were told, and the
 * files that came with it, are the tenant's and are not here.
 */
const rules = {
  earlyReceipts: { table: "PendingReceipt", time: "receivedAt", days: 1, which: Prisma.empty },
  providerNotices: { table: "ProviderNotice", time: "receivedAt", days: 90, which: Prisma.empty },
  unroutedTexts: { table: "UnroutedMessage", time: "receivedAt", days: 90, which: Prisma.empty },
  /** Takes its deliveries along. */
  alerts: {
    table: "Alert",
    time: "resolvedAt",
    days: 90,
    which: Prisma.sql`AND "state" = 'RESOLVED'`,
  },
  /** Texts to the founder that are settled; one that died waits for a person. */
  founderTexts: {
    table: "Message",
    time: "createdAt",
    days: 90,
    which: Prisma.sql`AND "clientId" IS NULL AND "kind" = 'founder_alert'
                      AND "status" IN ('SENT', 'DELIVERED', 'READ', 'FAILED')`,
  },
  /** The ids of an erased customer's texts, kept while the provider may still repeat them. */
  erasedIds: {
    table: "Message",
    time: "createdAt",
    days: REMEMBERED_DAYS,
    which: Prisma.sql`AND "kind" = 'erased'`,
  },
} as const;

/**
 * Deletes what the gateway no longer needs. May run twice or in two processes at once.
 *
 * @throws what the database throws; what was deleted until then stays so, the rest goes the next time
 */
export async function deleteOldRows(db: Database, logger: Logger): Promise<void> {
  const deleted: Record<string, number> = {};
  for (const [what, { table, time, days, which }] of Object.entries(rules)) {
    const [rows, since] = [Prisma.raw(`"${table}"`), Prisma.raw(`"${time}"`)];
    let count: number;
    do {
      count = await db.service.$executeRaw`
        DELETE FROM ${rows} WHERE "id" IN (
          SELECT "id" FROM ${rows}
           WHERE ${since} < now() - ${days}::int * interval '1 day' ${which} LIMIT ${BATCH})`;
      deleted[what] = (deleted[what] ?? 0) + count;
    } while (count === BATCH);
  }
  logger.info("old rows deleted", { deleted });
}
