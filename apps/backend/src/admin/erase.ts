import { Prisma, type Tx } from "@jobrun/db";

/** Longer than a provider repeats a webhook, and than the sweep looks back after an ordinary outage. */
const REMEMBERED_HOURS = 24;

/**
 * Deletes messages. Of the inbound ones of the last day the provider's id stays, in a row that is
 * otherwise empty: without it a repeated webhook, or the sweep, would store the text again.
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
    UPDATE "Message" m SET "clientId" = ${owner}::uuid, "conversationId" = NULL, "kind" = 'erased', "sender" = '',
      "recipient" = '', "body" = '', "media" = '[]', "status" = 'RECEIVED', "requestId" = NULL
    WHERE (${which}) AND m."direction" = 'INBOUND' AND num_nonnulls(m."twilioSid", m."waMessageId") > 0
      AND m."createdAt" > now() - make_interval(hours => ${REMEMBERED_HOURS})`;
  await tx.$executeRaw`DELETE FROM "Message" m WHERE (${which}) AND m."kind" <> 'erased'`;
}
