import type { Tx } from "@jobrun/db";
import { isAvailable } from "./pool.ts";

/**
 * Gives the oldest available number to a tenant, as a part of the caller's transaction above
 * tenants. Allocations at the same time take different numbers and do not wait for each other.
 *
 * @param excluded E.164, the gateway's own senders
 * @returns E.164, or null when none is available
 */
export async function allocateNumber(
  tx: Tx,
  tenantId: string,
  excluded: readonly string[],
): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ phoneNumber: string }[]>`
    UPDATE "TwilioNumberPool" SET "role" = 'OPERATIONAL', "clientId" = ${tenantId}::uuid, "releasedAt" = NULL
    WHERE "phoneNumber" = (
      SELECT "phoneNumber" FROM "TwilioNumberPool" WHERE ${isAvailable(excluded)}
      ORDER BY "createdAt", "phoneNumber" LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING "phoneNumber"`;
  return row?.phoneNumber ?? null;
}
