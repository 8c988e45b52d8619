import type { Database, Tx } from "@jobrun/db";
import type { PersonIds } from "@jobrun/messaging";
import type { Address, Customer, View } from "./prepare.ts";
import { WorldChanged } from "./world-changed.ts";

/** Makes one customer of those whom a view shows to be one person, unless somebody else just did. */
export async function becomeOne(
  db: Database,
  { tenantId, ids }: Address,
  { customer, others }: Pick<View, "customer" | "others">,
): Promise<void> {
  if (customer === null || ids === undefined) return;
  try {
    await db.tenantTransaction(tenantId, (tx) => identify(tx, customer, others, ids));
  } catch (error) {
    if (!(error instanceof WorldChanged)) throw error;
  }
}

/**
 * Makes one customer of all that these ids show to be one person, as a part of the caller's
 * transaction: their conversations on a channel become one, with the texts in the order in which they
 * were stored, and the customer is known by the ids from now on.
 *
 * @param customer whom the others become
 * @throws WorldChanged when one of them is not as it was read
 */
export async function identify(
  tx: Tx,
  customer: Customer,
  others: Customer[],
  ids: PersonIds,
): Promise<void> {
  for (const other of others) {
    // Both have an id of their own: two people, of whom one has the other's number by now.
    if (customer.userId !== null && other.userId !== null && customer.userId !== other.userId)
      await giveUpPhone(tx, other);
    else await absorb(tx, customer, other);
  }
  const phone = ids.phone ?? customer.phone;
  const userId = ids.userId ?? customer.userId;
  if (phone === customer.phone && userId === customer.userId) return;
  const changed = await tx.$executeRaw`
    UPDATE "Customer" SET "phone" = ${phone}, "userId" = ${userId}
    WHERE "id" = ${customer.id}::uuid AND "phone" IS NOT DISTINCT FROM ${customer.phone}
      AND "userId" IS NOT DISTINCT FROM ${customer.userId}`;
  if (changed !== 1) throw new WorldChanged();
  // What waits for them must not go to a number that somebody else may have by now.
  if (customer.phone !== null && phone !== null && phone !== customer.phone)
    await tx.$executeRaw`
      UPDATE "Message" m SET "recipient" = ${phone} FROM "Conversation" v
      WHERE v."customerId" = ${customer.id}::uuid AND m."conversationId" = v."id"
        AND m."recipient" = ${customer.phone} AND m."status" IN ('QUEUED', 'HELD')`;
}

async function giveUpPhone(tx: Tx, other: Customer): Promise<void> {
  const changed = await tx.$executeRaw`
    UPDATE "Customer" SET "phone" = NULL WHERE "id" = ${other.id}::uuid AND "userId" = ${other.userId}`;
  if (changed !== 1) throw new WorldChanged();
}

async function absorb(tx: Tx, customer: Customer, other: Customer): Promise<void> {
  // Who commits to one of the conversations at this moment is waited for, and finds them changed after us.
  const conversations = await tx.$queryRaw<{ id: string; customerId: string; channel: string }[]>`
    UPDATE "Conversation" SET "revision" = "revision" + 1
    WHERE "customerId" = ${other.id}::uuid RETURNING "id"::text, "customerId"::text, "channel"`;
  for (const { id, channel } of conversations) {
    const [into] = await tx.$queryRaw<{ id: string }[]>`
      SELECT "id"::text FROM "Conversation"
      WHERE "customerId" = ${customer.id}::uuid AND "channel" = ${channel} FOR UPDATE`;
    if (into === undefined)
      await tx.$executeRaw`
        UPDATE "Conversation" SET "customerId" = ${customer.id}::uuid WHERE "id" = ${id}::uuid`;
    else await merge(tx, id, into.id);
  }
  const removed = await tx.$executeRaw`
    WITH gone AS (DELETE FROM "Customer" WHERE "id" = ${other.id}::uuid RETURNING "optedOutAt", "marketingOptedOutAt")
    UPDATE "Customer" c SET "optedOutAt" = COALESCE(c."optedOutAt", gone."optedOutAt"),
      "marketingOptedOutAt" = COALESCE(c."marketingOptedOutAt", gone."marketingOptedOutAt")
    FROM gone WHERE c."id" = ${customer.id}::uuid`;
  if (removed !== 1) throw new WorldChanged();
}

/** A conversation has one open job: of two, the one the operator knows of goes on and learns what the other said. */
async function merge(tx: Tx, from: string, into: string): Promise<void> {
  await tx.$executeRaw`
    WITH open AS (
      SELECT "id", "summary", "type", "location", "requestedTime", "customerName",
        row_number() OVER (ORDER BY "status" IN ('ACCEPTED', 'URGENT') DESC, "number") AS "place"
      FROM "Job" WHERE "conversationId" IN (${from}::uuid, ${into}::uuid) AND "status" NOT IN ('DECLINED', 'DONE')
    ), closed AS (
      UPDATE "Job" SET "status" = 'DONE', "updatedAt" = now()
      FROM open WHERE open."place" = 2 AND "Job"."id" = open."id"
    )
    UPDATE "Job" j SET "summary" = j."summary" || ' / ' || other."summary", "type" = COALESCE(j."type", other."type"),
      "location" = COALESCE(j."location", other."location"), "updatedAt" = now(),
      "requestedTime" = COALESCE(j."requestedTime", other."requestedTime"),
      "customerName" = COALESCE(j."customerName", other."customerName")
    FROM open kept JOIN open other ON other."place" = 2
    WHERE kept."place" = 1 AND j."id" = kept."id"`;
  await tx.$executeRaw`UPDATE "Job" SET "conversationId" = ${into}::uuid WHERE "conversationId" = ${from}::uuid`;
  await tx.$executeRaw`UPDATE "Message" SET "conversationId" = ${into}::uuid WHERE "conversationId" = ${from}::uuid`;
  await tx.$executeRaw`
    WITH gone AS (DELETE FROM "Conversation" WHERE "id" = ${from}::uuid RETURNING "humanUntil", "lastInboundAt")
    UPDATE "Conversation" v SET "humanUntil" = GREATEST(v."humanUntil", gone."humanUntil"),
      "lastInboundAt" = GREATEST(v."lastInboundAt", gone."lastInboundAt")
    FROM gone WHERE v."id" = ${into}::uuid`;
}
