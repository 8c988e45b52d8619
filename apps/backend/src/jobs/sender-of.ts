import { Prisma } from "@jobrun/db";

/** How operators, second contacts and founders are reached, whatever their customers use. */
export const OPERATOR_CHANNEL = "sms";

/** SQL: what the customer of a conversation wrote to last. */
const lastTexted = (conversation: Prisma.Sql) => Prisma.sql`(
  SELECT m."recipient" FROM "Message" m WHERE m."conversationId" = ${conversation}."id" AND m."direction" = 'INBOUND'
  ORDER BY m."position" DESC LIMIT 1)`;

/**
 * SQL: the number from which a conversation's tenant writes to its customer, as the channel's
 * provider calls it. The one its customer last used, while it is the tenant's; else their oldest.
 * NULL for a tenant without a number on that channel.
 *
 * @param conversation a row of "Conversation" in the query around it
 */
export function senderOf(conversation: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    SELECT ours."number" FROM (
      SELECT "phoneNumber" AS "number", ${OPERATOR_CHANNEL} AS "channel", "createdAt" FROM "TwilioNumberPool"
        WHERE "clientId" = ${conversation}."clientId"
      UNION ALL
      SELECT "address", "channel", "createdAt" FROM "ChannelNumber" WHERE "clientId" = ${conversation}."clientId"
    ) ours WHERE ours."channel" = ${conversation}."channel"
    ORDER BY ours."number" = ${lastTexted(conversation)} DESC NULLS LAST, ours."createdAt" LIMIT 1)`;
}

/** SQL: as `senderOf`, the number from which the operator is told of the conversation. */
export function operatorSenderOf(conversation: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
    SELECT n."phoneNumber" FROM "TwilioNumberPool" n WHERE n."clientId" = ${conversation}."clientId"
    ORDER BY n."phoneNumber" = ${lastTexted(conversation)} DESC NULLS LAST, n."createdAt" LIMIT 1)`;
}
