import type { Tx } from "@jobrun/db";

/** Twilio's code for a recipient who has texted STOP: https://www.twilio.com/docs/api/errors/21610 */
export const OPT_OUT_CODE = "21610";

/**
 * Records that a customer wants no more texts, as a part of the caller's transaction.
 *
 * @param customer `phone` in E.164 with "+"
 * @returns false when it was recorded before, or when no customer has this number
 */
export async function recordOptOut(
  tx: Tx,
  customer: { tenantId: string; phone: string },
): Promise<boolean> {
  const recorded = await tx.$executeRaw`
    UPDATE "Customer" SET "optedOutAt" = now()
    WHERE "clientId" = ${customer.tenantId}::uuid AND "phone" = ${customer.phone} AND "optedOutAt" IS NULL`;
  return recorded === 1;
}
