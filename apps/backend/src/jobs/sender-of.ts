import { Prisma } from "@jobrun/db";

/**
 * SQL: the number from which a conversation's tenant writes about it. The one its customer last
 * used, while it is the tenant's; else their oldest. NULL for a tenant without a number.
 *
 * @param conversation a row of "Conversation" in the query around it
 */
export function senderOf(conversation: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    SELECT n."phoneNumber" FROM "TwilioNumberPool" n WHERE n."clientId" = ${conversation}."clientId"
    ORDER BY n."phoneNumber" = (SELECT m."recipient" FROM "Message" m
        WHERE m."conversationId" = ${conversation}."id" AND m."direction" = 'INBOUND'
        ORDER BY m."position" DESC LIMIT 1) DESC NULLS LAST, n."createdAt"
    LIMIT 1)`;
}
