import type { Database } from "@jobrun/db";
import type { InboundMessage } from "@jobrun/messaging";

type NumberRole = "OPERATIONAL" | "ONBOARDING" | "SYSTEM";

type ResolvedNumber =
  | {
      role: "OPERATIONAL";
      tenantId: string;
      /**
       * The tenant's own people text their number too, to give orders. A text from a number of ours is
       * a reply to a reply: answered, two of them would write to each other for ever.
       */
      sender: "customer" | "operator" | "ours";
    }
  | { role: "ONBOARDING" | "SYSTEM"; tenantId: null };

export interface Arrival {
  number: ResolvedNumber;
  /** The message id is already in the database, whosever it is: nothing is left to do. */
  known: boolean;
}

/**
 * What the texted number is for, and whether the message is stored already: one round trip.
 *
 * @param message `to`: what the provider calls the number; one that is not ours is SYSTEM
 */
export async function resolveArrival(
  db: Database,
  { channel, to, from, ids, providerMessageId }: InboundMessage,
): Promise<Arrival> {
  // A person of the tenant's is known by their phone, also where answers go elsewhere.
  const phone = ids?.phone ?? from;
  const [row] = await db.service.$queryRaw<
    {
      role: NumberRole | null;
      tenantId: string | null;
      sender: "customer" | "operator" | "ours";
      known: boolean;
    }[]
  >`
    SELECT CASE WHEN c."clientId" IS NULL THEN n."role"::text ELSE 'OPERATIONAL' END AS "role", t."id" AS "tenantId",
           CASE WHEN ${phone} IN (t."operatorPhone", t."secondContactPhone") THEN 'operator'
                WHEN EXISTS (SELECT 1 FROM "TwilioNumberPool" WHERE "phoneNumber" = ${phone})
                  OR EXISTS (SELECT 1 FROM "ChannelNumber" WHERE "channel" = ${channel} AND "phoneNumber" = ${phone}) THEN 'ours'
                ELSE 'customer' END AS "sender",
           EXISTS (SELECT 1 FROM "Message" WHERE "providerMessageId" = ${providerMessageId})
             OR EXISTS (SELECT 1 FROM "UnroutedMessage" WHERE "providerMessageId" = ${providerMessageId}) AS "known"
    FROM (SELECT 1) AS one LEFT JOIN "TwilioNumberPool" n ON n."phoneNumber" = ${to}
      LEFT JOIN "ChannelNumber" c ON c."channel" = ${channel} AND c."address" = ${to}
      LEFT JOIN "Client" t ON t."id" = COALESCE(c."clientId", n."clientId")`;
  const known = row?.known ?? false;
  if (row?.role === "OPERATIONAL" && row.tenantId !== null)
    return {
      number: {
        role: "OPERATIONAL",
        tenantId: row.tenantId,
        sender: row.sender,
      },
      known,
    };
  return {
    number: { role: row?.role === "ONBOARDING" ? "ONBOARDING" : "SYSTEM", tenantId: null },
    known,
  };
}
