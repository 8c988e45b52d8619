import { newId, Prisma, type Database } from "@jobrun/db";
import type { Channel } from "@jobrun/messaging";
import { toldFrom } from "../numbers/told-from.ts";
import { contentOf, type ArrivedText } from "./take-text.ts";

/** On which terms the worker of this process takes a text from the moment it is stored. */
export interface Offer {
  /** How long the text is this process's, milliseconds */
  leaseMs: number;
  /** Tenants of whose texts this process takes no more now */
  fullTenants: string[];
}

/** Texts of one person to one number, oldest first. What they say about who that is, is the same. */
export type TextsOfOne = readonly [ArrivedText, ...ArrivedText[]];

/** What became of them. Unless they are `stored` nothing was written. */
export type StoreResult =
  | StoredTexts
  /** All of them were stored before, whosever they are */
  | { kind: "duplicate" }
  /**
   * Their sender is no customer, but one of the tenant's own people, or the number is no tenant's; or
   * they work for another tenant as well, and it takes a second look whose they are now
   */
  | { kind: "not-a-customers" }
  /** They say who their sender is in a way that changes what we know of them: that takes a commit */
  | { kind: "identifies" };

export interface StoredTexts {
  kind: "stored";
  tenantId: string;
  /** Ids of those stored now, by the provider's id; the others were stored before */
  fresh: Map<string, string>;
  /** They are this process's to answer until then; null: any worker's, or their turn comes later */
  leasedUntil: Date | null;
  /** Messages that waited for the customer to write may go now */
  released: boolean;
}

interface Row {
  verdict: StoreResult["kind"];
  tenantId: string | null;
  conversationId: string | null;
  stored: { id: string; providerMessageId: string }[];
  leasedUntil: Date | null;
  released: boolean;
}

/** In every round but the last, somebody else makes the same customer known; one such round is enough. */
const MAX_ROUNDS = 5;

/** A turn's texts are among the newest of a conversation. Missing an older one costs a call of the model. */
const RECENT = 50;

/**
 * Stores a customer's texts to be answered later: number, sender, customer, conversation and texts in
 * one statement, which is its own transaction and one round trip.
 *
 * The revision of the conversation stays: a turn that is in work answers what it has read and leaves
 * these to the next one. Positions are given under the conversation's row lock, as a commit's are.
 *
 * @param offer null when this process takes no more texts now
 * @throws when they could not be stored; then none of them is
 */
export async function storeDeferred(
  db: Database,
  channel: Pick<Channel, "fetchMedia">,
  texts: TextsOfOne,
  offer: Offer | null,
): Promise<StoreResult> {
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const [row] = await db.service.$queryRaw<Row[]>(statement(channel, texts, offer));
    if (row === undefined) throw new Error("a statement that always has a row had none");
    if (row.verdict !== "stored") return { kind: row.verdict };
    const { tenantId, conversationId, stored, leasedUntil, released } = row;
    if (tenantId === null || conversationId === null) continue;
    if (stored.length === 0) return { kind: "duplicate" };
    const fresh = new Map(stored.map(({ id, providerMessageId }) => [providerMessageId, id]));
    return { kind: "stored", tenantId, fresh, leasedUntil, released };
  }
  throw new Error(`the customer changed in each of ${MAX_ROUNDS} rounds`);
}

function statement(
  { fetchMedia }: Pick<Channel, "fetchMedia">,
  texts: TextsOfOne,
  offer: Offer | null,
): Prisma.Sql {
  const [{ message }] = texts;
  const { channel, from, to } = message;
  const { phone, userId } = message.ids ?? { phone: from, userId: null };
  const rows = texts.map(rowOf);
  const files = fetchMedia === undefined ? [] : rows.flatMap(filesOf);
  return Prisma.sql`
    WITH arrival AS MATERIALIZED (
      SELECT t."id" AS "tenantId",
        t."id" IS NOT NULL AND (c."clientId" IS NOT NULL OR n."role" = 'OPERATIONAL')
          AND ${phone ?? from} NOT IN (t."operatorPhone", COALESCE(t."secondContactPhone", ''))
          AND NOT EXISTS (SELECT 1 FROM "TwilioNumberPool" WHERE "phoneNumber" = ${phone ?? from})
          AND NOT EXISTS (SELECT 1 FROM "ChannelNumber" WHERE "channel" = ${channel} AND "phoneNumber" = ${phone ?? from})
          AND NOT EXISTS (${toldFrom({ to, phone: phone ?? from })})
          AS "isCustomers"
      FROM (SELECT 1) AS one LEFT JOIN "TwilioNumberPool" n ON n."phoneNumber" = ${to}
        LEFT JOIN "ChannelNumber" c ON c."channel" = ${channel} AND c."address" = ${to}
        LEFT JOIN "Client" t ON t."id" = COALESCE(c."clientId", n."clientId")
    ), fresh AS MATERIALIZED (
      SELECT r.* FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r("id" uuid, "kind" text, "body" text, "media" jsonb,
        "type" text, "payload" jsonb, "sentAt" float8, "requestId" text, "providerMessageId" text, "order" int)
      WHERE NOT EXISTS (SELECT 1 FROM "Message" k WHERE k."providerMessageId" = r."providerMessageId")
        AND NOT EXISTS (SELECT 1 FROM "UnroutedMessage" k WHERE k."providerMessageId" = r."providerMessageId")
    ), person AS MATERIALIZED (
      SELECT p."id", p."phone", p."userId" FROM arrival a CROSS JOIN LATERAL (
        SELECT "id", "phone", "userId" FROM "Customer" WHERE "clientId" = a."tenantId" AND "phone" = ${phone}::text
        UNION SELECT "id", "phone", "userId" FROM "Customer" WHERE "clientId" = a."tenantId" AND "userId" = ${userId}::text
      ) p WHERE a."isCustomers" LIMIT 2
    ), verdict AS MATERIALIZED (
      SELECT a."tenantId", CASE
        WHEN NOT EXISTS (SELECT 1 FROM fresh) THEN 'duplicate'
        WHEN NOT a."isCustomers" THEN 'not-a-customers'
        WHEN ${message.ids?.formerly !== undefined} OR (SELECT count(*) FROM person) > 1
          OR EXISTS (SELECT 1 FROM person WHERE COALESCE(${phone}::text, "phone") IS DISTINCT FROM "phone"
            OR COALESCE(${userId}::text, "userId") IS DISTINCT FROM "userId") THEN 'identifies'
        ELSE 'stored' END AS "verdict"
      FROM arrival a
    ), customer AS (
      INSERT INTO "Customer" ("id", "clientId", "phone", "userId")
      SELECT ${newId()}::uuid, v."tenantId", ${phone}::text, ${userId}::text FROM verdict v
      WHERE v."verdict" = 'stored' AND NOT EXISTS (SELECT 1 FROM person)
      ON CONFLICT DO NOTHING RETURNING "id"
    ), conversation AS (
      INSERT INTO "Conversation" AS v ("id", "clientId", "customerId", "channel", "lastInboundAt")
      SELECT ${newId()}::uuid, verdict."tenantId", who."id", ${channel}, to_timestamp(
        (SELECT max(COALESCE("sentAt", extract(epoch FROM now()))) FROM fresh WHERE "kind" <> 'silent'))
      FROM verdict, (SELECT "id" FROM person UNION ALL SELECT "id" FROM customer) who
      WHERE verdict."verdict" = 'stored'
      ON CONFLICT ("clientId", "customerId", "channel") DO UPDATE
        SET "updatedAt" = now(), "lastInboundAt" = GREATEST(v."lastInboundAt", EXCLUDED."lastInboundAt")
      RETURNING v."id", v."clientId"
    ), lease AS MATERIALIZED (
      SELECT v."id", v."clientId", (CASE WHEN ${offer !== null} AND v."clientId" <> ALL(${offer?.fullTenants ?? []}::uuid[])
        AND NOT EXISTS (
          SELECT 1 FROM (SELECT "status", "leasedUntil" FROM "Message" WHERE "conversationId" = v."id"
            ORDER BY "position" DESC LIMIT ${RECENT}) recent
          WHERE recent."status" = 'DEFERRED' AND recent."leasedUntil" > now())
        THEN now() + ${offer?.leaseMs ?? 0}::int * interval '1 millisecond' END)::timestamptz(3) AS "until"
      FROM conversation v
    ), stored AS (
      INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
        "body", "media", "type", "payload", "status", "requestId", "providerMessageId", "sentAt", "attempts", "dueAt", "leasedUntil")
      SELECT r."id", l."clientId", l."id", 'INBOUND', ${channel}, r."kind", ${from}, ${to}, r."body", r."media", r."type",
        r."payload", 'DEFERRED', r."requestId", r."providerMessageId", to_timestamp(r."sentAt"), CASE WHEN l."until" IS NULL THEN 0 ELSE 1 END,
        COALESCE(l."until", now()), l."until"
      FROM lease l, fresh r ORDER BY r."order"
      ON CONFLICT DO NOTHING RETURNING "id", "clientId", "providerMessageId"
    ), released AS (
      UPDATE "Message" m SET "status" = 'QUEUED', "dueAt" = now() FROM conversation v
      WHERE m."conversationId" = v."id" AND m."status" = 'HELD' AND EXISTS (SELECT 1 FROM fresh WHERE "kind" <> 'silent')
      RETURNING 1
    ), files AS (
      INSERT INTO "MediaFile" ("id", "clientId", "messageId", "channel", "reference", "contentType")
      SELECT f."id", s."clientId", s."id", ${channel}, f."reference", f."contentType"
      FROM jsonb_to_recordset(${JSON.stringify(files)}::jsonb) AS f("id" uuid, "messageId" uuid, "reference" text, "contentType" text)
      JOIN stored s ON s."id" = f."messageId"
    )
    SELECT v."verdict", v."tenantId", (SELECT "id" FROM conversation) AS "conversationId",
      COALESCE((SELECT jsonb_agg(jsonb_build_object('id', s."id", 'providerMessageId', s."providerMessageId")) FROM stored s), '[]') AS "stored",
      (SELECT "until" FROM lease) AS "leasedUntil", EXISTS (SELECT 1 FROM released) AS "released"
    FROM verdict v`;
}

function rowOf({ message, requestId }: ArrivedText, order: number) {
  const { silent, sentAt, ...content } = contentOf(message);
  return {
    ...content,
    id: newId(),
    kind: silent ? "silent" : "text",
    sentAt: sentAt === null ? null : sentAt / 1000,
    requestId,
    order,
  };
}

function filesOf({ id: messageId, media }: ReturnType<typeof rowOf>) {
  return media.map(({ url: reference, contentType }) => ({
    id: newId(),
    messageId,
    reference,
    contentType,
  }));
}
