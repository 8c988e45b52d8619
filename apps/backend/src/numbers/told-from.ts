import { Prisma } from "@jobrun/db";
import { OPERATOR_CHANNEL } from "../jobs/sender-of.ts";

/** Values, or columns of the query around it. */
interface TextSql {
  to: string | Prisma.Sql;
  phone: string | Prisma.Sql;
}

/**
 * SQL: the tenant for which a number last told its operator or second contact something, and where in
 * the order of commits. A tenant without a number for texts tells them from the default sender, which is
 * another tenant's number or nobody's, so their answer is known by what it answers. Who works for several
 * such tenants answers the one that wrote last; another is reached again after its next text.
 *
 * One row or none: only the newest text outside conversations from the number to the phone is looked at,
 * which the index "Message_outside_conversations" finds without a search.
 */
export function toldFrom({ to, phone }: TextSql): Prisma.Sql {
  return Prisma.sql`
    SELECT o."id" AS "clientId", newest."position" FROM (
      SELECT m."clientId", m."position" FROM "Message" m
      WHERE m."recipient" = ${phone} AND m."sender" = ${to} AND m."conversationId" IS NULL AND m."direction" = 'OUTBOUND'
        AND m."channel" = ${OPERATOR_CHANNEL} AND m."kind" NOT IN ('founder_alert', 'unrouted_reply')
      ORDER BY m."position" DESC LIMIT 1) newest
    JOIN "Client" o ON o."id" = newest."clientId" AND ${isReachedFromElsewhere(Prisma.sql`o`, phone)}`;
}

/** SQL: whether the phone is that of the tenant's operator or second contact, and the tenant has no number to text it from. */
export function isReachedFromElsewhere(tenant: Prisma.Sql, phone: TextSql["phone"]): Prisma.Sql {
  return Prisma.sql`${phone} IN (${tenant}."operatorPhone", ${tenant}."secondContactPhone")
    AND NOT EXISTS (SELECT 1 FROM "TwilioNumberPool" p WHERE p."clientId" = ${tenant}."id")`;
}
