import type { Tx } from "@jobrun/db";

/**
 * Takes a number from its tenant, as a part of the caller's transaction above tenants. It rests
 * before it is given to the next one; meanwhile its callers get the SYSTEM fail-safe.
 *
 * @param phoneNumber E.164
 * @returns false when it is no tenant's
 */
export async function releaseNumber(tx: Tx, phoneNumber: string): Promise<boolean> {
  const released = await tx.$executeRaw`
    UPDATE "TwilioNumberPool"
    SET "role" = 'SYSTEM', "clientId" = NULL, "callHandling" = 'NOTICE', "releasedAt" = now()
    WHERE "phoneNumber" = ${phoneNumber} AND "role" = 'OPERATIONAL'`;
  return released === 1;
}
