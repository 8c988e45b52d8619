import type { DeliveryDeps } from "./delivery.ts";
import { resolvePagerDuty } from "./pagerduty-channel.ts";

/** Longer than one message to PagerDuty takes with its retries. */
const RETRY_MS = 60_000;
const GIVE_UP_MS = 24 * 3_600_000;

/**
 * Tells PagerDuty which incidents it was told of have ended. One that was opened again meanwhile stays
 * open there. A delivery goes from DELIVERED to RESOLVING, which is also the claim, and to RESOLVED.
 */
export async function resolveDeliveries(deps: DeliveryDeps, now: Date): Promise<void> {
  const { db, config, logger } = deps;
  if (!config.pagerDuty) return;
  const pagerDuty = config.pagerDuty;
  const at = now.toISOString();
  const before = (ms: number) => new Date(now.getTime() - ms).toISOString();
  const claimed = await db.service.$queryRaw<{ id: string; key: string; type: string }[]>`
    UPDATE "AlertDelivery" d SET "state" = 'RESOLVING', "attemptedAt" = ${at}::timestamptz
      FROM "Alert" a
     WHERE a."id" = d."alertId" AND a."state" = 'RESOLVED' AND d."channel" = 'pagerduty'
       AND (d."state" = 'DELIVERED'
            OR d."state" = 'RESOLVING' AND d."attemptedAt" <= ${before(RETRY_MS)}::timestamptz)
       AND NOT EXISTS (
         SELECT 1 FROM "Alert" again WHERE again."key" = a."key" AND again."state" <> 'RESOLVED')
       AND (SELECT max(k."resolvedAt") FROM "Alert" k WHERE k."key" = a."key") > ${before(GIVE_UP_MS)}::timestamptz
    RETURNING d."id"::text, a."key", a."type"`;
  await Promise.all(
    claimed.map(async ({ id, key, type }) => {
      try {
        await resolvePagerDuty(pagerDuty, key);
        await db.service.$executeRaw`
          UPDATE "AlertDelivery" SET "state" = 'RESOLVED' WHERE "id" = ${id}::uuid AND "state" = 'RESOLVING'`;
      } catch (error) {
        logger.error("PagerDuty was not told that an alert ended; trying again", { type, error });
      }
    }),
  );
}
