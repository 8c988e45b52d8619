import type { Tx } from "@jobrun/db";

/**
 * Records that a customer wants no more texts, or no more campaigns, as a part of the caller's
 * transaction.
 *
 * @param customer `address`: E.164 with "+", or a provider's id of them
 * @returns false when it was recorded before, or when no customer has this address
 */
export async function recordOptOut(
  tx: Tx,
  { tenantId, address }: { tenantId: string; address: string },
  from: "all" | "marketing",
): Promise<boolean> {
  const all = from === "all";
  const recorded = await tx.$executeRaw`
    UPDATE "Customer" SET "optedOutAt" = CASE WHEN ${all} THEN now() ELSE "optedOutAt" END,
      "marketingOptedOutAt" = COALESCE("marketingOptedOutAt", now())
    WHERE "clientId" = ${tenantId}::uuid AND ("phone" = ${address} OR "userId" = ${address})
      AND CASE WHEN ${all} THEN "optedOutAt" ELSE "marketingOptedOutAt" END IS NULL`;
  return recorded > 0;
}
