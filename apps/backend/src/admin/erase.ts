import { Prisma, type Tx } from "@jobrun/db";

/**
 * Longer than any provider repeats a webhook, and than the sweep looks back after an ordinary outage.
 * Meta repeats one that was not answered with 200 for 7 days
 * (developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview).
 */
export const REMEMBERED_DAYS = 8;

/**
 * Deletes messages with their files. Of the inbound ones of the last days the provider's id stays, in
 * a row that is otherwise empty: without it a repeated webhook, or the sweep, would store the text again.
 *
 * @param which a condition on "Message" m
 * @param owner of the empty rows; null when the tenant goes as well
 */
export async function keepNothingButIds(
  tx: Tx,
  which: Prisma.Sql,
  owner: string | null,
): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM "MediaFile" f USING "Message" m WHERE f."messageId" = m."id" AND (${which})`;
  await tx.$executeRaw`
    UPDATE "Message" m SET "clientId" = ${owner}::uuid, "conversationId" = NULL, "kind" = 'erased', "sender" = '',
      "recipient" = '', "body" = '', "media" = '[]', "type" = 'text', "payload" = NULL, "status" = 'RECEIVED',
      "requestId" = NULL
    WHERE (${which}) AND m."direction" = 'INBOUND' AND m."providerMessageId" IS NOT NULL
      AND m."createdAt" > now() - make_interval(days => ${REMEMBERED_DAYS})`;
  await tx.$executeRaw`DELETE FROM "Message" m WHERE (${which}) AND m."kind" <> 'erased'`;
}
