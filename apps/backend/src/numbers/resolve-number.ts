import type { Database } from "@jobrun/db";

type NumberRole = "OPERATIONAL" | "ONBOARDING" | "SYSTEM";

type ResolvedNumber =
  | {
      role: "OPERATIONAL";
      tenantId: string;
      /** The tenant's own people text their number too: to give orders */
      sender: "customer" | "operator";
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
    { role: NumberRole | null; tenantId: string | null; isOperator: boolean; known: boolean }[]
  >`
    SELECT n."role"::text AS "role", n."clientId" AS "tenantId",
           COALESCE(${from} IN (t."operatorPhone", t."secondContactPhone"), false) AS "isOperator",
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
        sender: row.isOperator ? "operator" : "customer",
      },
      known,
    };
  return {
    number: { role: row?.role === "ONBOARDING" ? "ONBOARDING" : "SYSTEM", tenantId: null },
    known,
  };
}
