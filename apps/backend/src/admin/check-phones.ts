import { AdminError } from "./admin-error.ts";
import type { Context } from "./route.ts";

/**
 * Refuses a number of ours as that of a person: what is texted there would come back to us.
 *
 * @param phones by the field that they are in, E.164
 * @throws AdminError invalid, naming the fields
 */
export async function checkPhones(
  { deps: { db, excluded } }: Context,
  phones: Record<string, string | null | undefined>,
): Promise<void> {
  const given = Object.values(phones).filter((phone) => typeof phone === "string");
  if (given.length === 0) return;
  const rows = await db.service.$queryRaw<{ phoneNumber: string }[]>`
    SELECT "phoneNumber" FROM "TwilioNumberPool" WHERE "phoneNumber" = ANY(${given})
    UNION SELECT "phoneNumber" FROM "ChannelNumber" WHERE "phoneNumber" = ANY(${given})`;
  const ours = new Set([...excluded, ...rows.map(({ phoneNumber }) => phoneNumber)]);
  const details = Object.entries(phones)
    .filter(([, phone]) => typeof phone === "string" && ours.has(phone))
    .map(([field]) => ({
      field,
      message: "is a number of the gateway itself: nobody reads texts there",
    }));
  if (details.length > 0) throw new AdminError("invalid", "The request is not valid", details);
}
