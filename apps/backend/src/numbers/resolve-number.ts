import type { Database } from "@jobrun/db";

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
 * @param to E.164. A number that is not ours is SYSTEM.
 * @param from who texts
 * @param providerMessageId Twilio's MessageSid
 */
export async function resolveArrival(
  db: Database,
  to: string,
  from: string,
  providerMessageId: string,
): Promise<Arrival> {
  const [row] = await db.service.$queryRaw<
    {
      role: NumberRole | null;
      tenantId: string | null;
      sender: "customer" | "operator" | "ours";
      known: boolean;
    }[]
  >`
    SELECT n."role"::text AS "role", n."clientId" AS "tenantId",
           CASE WHEN ${from} IN (t."operatorPhone", t."secondContactPhone") THEN 'operator'
                WHEN EXISTS (SELECT 1 FROM "TwilioNumberPool" WHERE "phoneNumber" = ${from}) THEN 'ours'
                ELSE 'customer' END AS "sender",
           EXISTS (SELECT 1 FROM "Message" WHERE "twilioSid" = ${providerMessageId})
             OR EXISTS (SELECT 1 FROM "UnroutedMessage" WHERE "twilioSid" = ${providerMessageId}) AS "known"
    FROM (SELECT 1) AS one LEFT JOIN "TwilioNumberPool" n ON n."phoneNumber" = ${to}
      LEFT JOIN "Client" t ON t."id" = n."clientId"`;
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
