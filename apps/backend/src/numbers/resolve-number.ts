import { Prisma, type Database } from "@jobrun/db";
import type { InboundMessage } from "@jobrun/messaging";
import { OPERATOR_CHANNEL } from "../jobs/sender-of.ts";
import { isReachedFromElsewhere, toldFrom } from "./told-from.ts";

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

interface Row {
  role: NumberRole | null;
  tenantId: string | null;
  sender: "customer" | "operator" | "ours";
  /** By `toldFrom` */
  toldBy: string | null;
  toldAt: bigint | null;
  known: boolean;
}

/**
 * What the texted number is for, and whether the message is stored already: one round trip for a
 * customer. To the operator of a tenant without a number for texts, a number is that tenant's if they
 * answer there what it told them.
 *
 * @param message `to`: what the provider calls the number; one that is not ours is SYSTEM
 */
export async function resolveArrival(
  db: Database,
  { channel, to, from, ids, providerMessageId }: InboundMessage,
): Promise<Arrival> {
  // A person of the tenant's is known by their phone, also where answers go elsewhere.
  const phone = ids?.phone ?? from;
  const [row] = await db.service.$queryRaw<Row[]>`
    SELECT CASE WHEN c."clientId" IS NULL THEN n."role"::text ELSE 'OPERATIONAL' END AS "role", t."id" AS "tenantId",
           CASE WHEN ${phone} IN (t."operatorPhone", t."secondContactPhone") THEN 'operator'
                WHEN EXISTS (SELECT 1 FROM "TwilioNumberPool" WHERE "phoneNumber" = ${phone})
                  OR EXISTS (SELECT 1 FROM "ChannelNumber" WHERE "channel" = ${channel} AND "phoneNumber" = ${phone}) THEN 'ours'
                ELSE 'customer' END AS "sender",
           told."clientId" AS "toldBy", told."position" AS "toldAt",
           EXISTS (SELECT 1 FROM "Message" WHERE "providerMessageId" = ${providerMessageId})
             OR EXISTS (SELECT 1 FROM "UnroutedMessage" WHERE "providerMessageId" = ${providerMessageId}) AS "known"
    FROM (SELECT 1) AS one LEFT JOIN "TwilioNumberPool" n ON n."phoneNumber" = ${to}
      LEFT JOIN "ChannelNumber" c ON c."channel" = ${channel} AND c."address" = ${to}
      LEFT JOIN "Client" t ON t."id" = COALESCE(c."clientId", n."clientId")
      LEFT JOIN LATERAL (${toldFrom({ to, phone })}) told ON true`;
  if (row === undefined) throw new Error("a statement that always has a row had none");
  const { role, tenantId, sender, known } = row;
  const asksElsewhere = !known && channel === OPERATOR_CHANNEL;
  const elsewhere = asksElsewhere ? await tenantElsewhere(db, row, phone) : null;
  if (elsewhere !== null)
    return { number: { role: "OPERATIONAL", tenantId: elsewhere, sender: "operator" }, known };
  if (role === "OPERATIONAL" && tenantId !== null)
    return { number: { role, tenantId, sender }, known };
  return {
    number: { role: role === "ONBOARDING" ? "ONBOARDING" : "SYSTEM", tenantId: null },
    known,
  };
}

/**
 * The tenant without a number for texts whose operator texts this number, which is not its own. Who is
 * an operator of the number's own tenant stays that; who is its customer answers whichever of the two
 * wrote to them last.
 */
async function tenantElsewhere(db: Database, row: Row, phone: string): Promise<string | null> {
  const { role, tenantId, sender, toldBy, toldAt } = row;
  if (role === "OPERATIONAL" && sender !== "customer") return null;
  if (toldBy !== null)
    return tenantId !== null && (await wroteSince(db, tenantId, phone, toldAt)) ? null : toldBy;
  return role === "OPERATIONAL" || role === "ONBOARDING" ? null : onlyTenantOf(db, phone);
}

/** Whether a tenant wrote to this customer after a place in the order of commits. */
async function wroteSince(
  db: Database,
  tenantId: string,
  phone: string,
  position: bigint | null,
): Promise<boolean> {
  const [text] = await db.service.$queryRaw<unknown[]>`
    SELECT 1 FROM "Customer" c
      JOIN "Conversation" v ON v."clientId" = c."clientId" AND v."customerId" = c."id" AND v."channel" = ${OPERATOR_CHANNEL}
      JOIN "Message" m ON m."conversationId" = v."id" AND m."direction" = 'OUTBOUND' AND m."position" > ${position}
    WHERE c."clientId" = ${tenantId}::uuid AND c."phone" = ${phone} LIMIT 1`;
  return text !== undefined;
}

/**
 * Whose operator it is that texts a number of nobody's which never told them anything: null unless it is
 * one tenant's, for none is guessed. Phones of operators have no index, and only such a text needs one.
 */
async function onlyTenantOf(db: Database, phone: string): Promise<string | null> {
  const [tenant, other] = await db.service.$queryRaw<{ id: string }[]>`
    SELECT o."id" FROM "Client" o WHERE ${isReachedFromElsewhere(Prisma.sql`o`, phone)} LIMIT 2`;
  return tenant !== undefined && other === undefined ? tenant.id : null;
}
