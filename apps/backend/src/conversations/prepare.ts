import { Prisma, type Database } from "@jobrun/db";
import type { Media, PersonIds } from "@jobrun/messaging";
import type { JobDraft, Urgency } from "../assistant/assistant.ts";
import { plans, usualRates } from "../limits/plans.ts";
import type { QuotaView } from "../limits/quota.ts";
import type { Recent } from "../limits/rate.ts";
import type { Locale } from "../texts/fill.ts";
import { becomeOne } from "./identify.ts";

interface Tenant {
  id: string;
  name: string;
  locale: Locale;
  operatorPhone: string;
  outboundPaused: boolean;
  aiDisabled: boolean;
  plan: string;
  /** What differs from the plan, as stored */
  limits: unknown;
}

export interface Customer {
  id: string;
  phone: string | null;
  userId: string | null;
  optedOut: boolean;
}

export interface StoredText {
  id: string;
  body: string;
  media: Media[];
  /** True of what calls for no answer. */
  silent: boolean;
}

/** Stored, not answered. */
interface DeferredText extends StoredText {
  requestId: string;
  providerMessageId: string;
  /** When it was stored, milliseconds since the epoch, and its place in the order of commits */
  stored: { at: number; position: number };
}

/** All that a turn needs to know, as of one moment. */
export interface View {
  tenant: Tenant;
  /** The number that was texted, as a person dials it; and that of the tenant which texts the operator. */
  numbers: { texted: string; operator: string | null };
  customer: Customer | null;
  /** Others who turn out to be the same person: the commit makes them one. */
  others: Customer[];
  conversation: {
    id: string;
    mode: "OPERATIONAL" | "ONBOARDING";
    revision: number;
    /** The operator writes to this customer themselves, for the time being */
    humanTakenOver: boolean;
  } | null;
  /** The newest 20 messages before this turn, oldest first. */
  history: { direction: "INBOUND" | "OUTBOUND"; body: string }[];
  /** This turn answers them too. Oldest first. */
  deferred: DeferredText[];
  openJob: (JobDraft & { id: string; number: number; urgency: Urgency; status: string }) | null;
  /** Those of the ids asked for that are committed already. */
  knownIds: string[];
  /** When this was read, milliseconds since the epoch, by the database's clock */
  now: number;
  /** `terms`: plan, its numbers and limits as one text. Others than those a conversation was blocked on end the block */
  quota: QuotaView & { terms: string };
  /** Of the customer's conversations, as far back as a rate may ask */
  recent: Recent[];
}

/** Who talks to whom: one conversation. */
export interface Address {
  tenantId: string;
  channel: string;
  /** Where an answer goes: E.164, the sender's short code or name, or the provider's id of them */
  customer: string;
  /** Who that is, when there is more to say than `customer` */
  ids?: PersonIds;
}

/**
 * PREPARE: reads everything a turn needs in one query and one short transaction. When it shows that
 * several customers are one person, they become one, and it is read again.
 *
 * @param texted what the provider calls the number of ours that was texted
 * @throws when the tenant is gone or the database does not answer
 */
export async function prepare(
  db: Database,
  address: Address,
  texted: string,
  providerMessageIds: string[],
): Promise<View> {
  const query = viewOf(address, texted, providerMessageIds);
  for (let round = 1; ; round += 1) {
    const [view] = await db.tenantRead<View>(address.tenantId, query);
    if (view === undefined) throw new Error("the tenant of this number does not exist");
    // What the others have said, asked for and wished is a part of what the turn must know.
    if (view.others.length === 0 || round > MOST_MERGES) return view;
    await becomeOne(db, address, view);
  }
}

/** Somebody else may find out the same at this moment. */
const MOST_MERGES = 3;

/**
 * OFFSET 0 keeps the conversation's look-up from being planned as a part of the join: while there are no
 * statistics, the planner would rather read all conversations of the tenant. SELECT 20 hides the number:
 * told of 20 where it expects fewer, it sorts all messages instead of reading the index from its end.
 */
function viewOf(address: Address, texted: string, providerMessageIds: string[]): Prisma.Sql {
  const { join, others } = personOf(address);
  return Prisma.sql`
    SELECT
      jsonb_build_object('id', t."id", 'name', t."name", 'locale', t."locale", 'operatorPhone', t."operatorPhone",
        'outboundPaused', t."outboundPaused", 'aiDisabled', t."aiDisabled", 'plan', t."plan", 'limits', t."limits") AS "tenant",
      jsonb_build_object(
        'texted', COALESCE((SELECT n."phoneNumber" FROM "ChannelNumber" n
          WHERE n."channel" = ${address.channel} AND n."address" = ${texted}), ${texted}),
        'operator', (SELECT n."phoneNumber" FROM "TwilioNumberPool" n WHERE n."clientId" = t."id"
          ORDER BY n."phoneNumber" = ${texted} DESC, n."createdAt" LIMIT 1)) AS "numbers",
      CASE WHEN c."id" IS NOT NULL THEN ${customerJson(Prisma.sql`c`)} END AS "customer",
      ${others} AS "others",
      CASE WHEN v."id" IS NOT NULL THEN
        jsonb_build_object('id', v."id", 'mode', v."mode", 'revision', v."revision",
          'humanTakenOver', COALESCE(v."humanUntil" > now(), false)) END AS "conversation",
      COALESCE((SELECT jsonb_agg(jsonb_build_object('direction', h."direction", 'body', h."body") ORDER BY h."position")
        FROM (SELECT "direction", "body", "position" FROM "Message"
              WHERE "conversationId" = v."id" AND "status" <> 'DEFERRED' AND "kind" <> 'call' AND "type" <> 'mark_read'
              ORDER BY "position" DESC LIMIT (SELECT 20)) h), '[]') AS "history",
      COALESCE((SELECT jsonb_agg(jsonb_build_object('id', d."id", 'body', d."body", 'media', d."media",
          'silent', d."kind" = 'silent', 'requestId', d."requestId", 'providerMessageId', d."providerMessageId",
          'stored', jsonb_build_object('at', ${milliseconds(Prisma.sql`LEAST(d."sentAt", d."createdAt")`)}, 'position', d."position"))
          ORDER BY d."position")
        FROM "Message" d WHERE d."conversationId" = v."id" AND d."status" = 'DEFERRED'), '[]') AS "deferred",
      (SELECT jsonb_build_object('id', j."id", 'number', j."number", 'summary', j."summary", 'type', j."type", 'location', j."location",
          'requestedTime', j."requestedTime", 'customerName', j."customerName", 'urgency', j."urgency", 'status', j."status")
        FROM "Job" j WHERE j."conversationId" = v."id" AND j."status" NOT IN ('DECLINED', 'DONE')) AS "openJob",
      ARRAY(SELECT "providerMessageId" FROM "Message" WHERE "providerMessageId" = ANY(${providerMessageIds})) AS "knownIds",
      to_jsonb(${milliseconds(Prisma.sql`now()`)}) AS "now",
      ${quota} AS "quota",
      ${recent} AS "recent"
    FROM "Client" t
    CROSS JOIN LATERAL (${limitsOfTenant()} OFFSET 0) l
    LEFT JOIN ${join}
    LEFT JOIN LATERAL (SELECT "id", "mode", "revision", "humanUntil",
        "quotaBlocked" AND "quotaTerms" = l."terms" AND "quotaPeriod" IN (l."month", l."day") AS "blocked",
        "quotaPeriod", "quotaToldOn" FROM "Conversation"
      WHERE "clientId" = t."id" AND "customerId" = c."id" AND "channel" = ${address.channel} OFFSET 0) v ON true
    WHERE t."id" = ${address.tenantId}::uuid`;
}

function milliseconds(time: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`floor(extract(epoch FROM ${time}) * 1000)`;
}

/** SQL: the periods as the tenant's calendar has them, and how many texts over how long the rates ask for. */
function limitsOfTenant(): Prisma.Sql {
  return Prisma.sql`
    SELECT to_char(now() AT TIME ZONE t."timeZone", 'YYYY-MM') AS "month",
      to_char(now() AT TIME ZONE t."timeZone", 'YYYY-MM-DD') AS "day",
      concat(t."plan", ${JSON.stringify(plans)}::jsonb -> t."plan", t."limits") AS "terms",
      GREATEST(${rateSetting("conversationRate", "max")}, ${rateSetting("senderRate", "max")}) AS "most",
      make_interval(secs => GREATEST(${rateSetting("conversationRate", "windowSeconds")},
        ${rateSetting("senderRate", "windowSeconds")})) AS "window"`;
}

function rateSetting(rate: keyof typeof usualRates, field: "max" | "windowSeconds"): Prisma.Sql {
  return Prisma.sql`COALESCE((t."limits" #>> ${`{${rate},${field}}`}::text[])::int, ${usualRates[rate][field]}::int)`;
}

/**
 * SQL: a conversation that is known to be blocked costs no look at what was used. A month has several
 * rows of a tenant without limit: see apps/backend/src/limits/usage.ts.
 */
const quota = Prisma.sql`
  jsonb_build_object('day', l."day", 'terms', l."terms", 'toldOn', v."quotaToldOn",
    'blockedFor', CASE WHEN v."blocked" THEN v."quotaPeriod" END,
    'usage', CASE WHEN v."blocked" IS NOT TRUE THEN
      (SELECT jsonb_build_object('messages', COALESCE(sum(u."messages"), 0),
          'dayTokens', COALESCE(sum(u."dayTokens") FILTER (WHERE u."day" >= l."day"), 0))
        FROM "Usage" u WHERE u."clientId" = t."id" AND left(u."period", 7) = l."month") END)`;

/**
 * SQL: the newest rows of each conversation of the customer that was written to within the window. Each
 * of their texts has up to two rows of ours behind it.
 */
const recent = Prisma.sql`
  COALESCE((SELECT jsonb_agg(jsonb_build_object('at', ${milliseconds(Prisma.sql`r."at"`)}, 'position', r."position",
      'here', w."id" = v."id", 'kind', CASE r."kind" WHEN 'rate_notice' THEN 'notice' ELSE 'text' END))
    FROM "Conversation" w
    CROSS JOIN LATERAL (SELECT LEAST(m."sentAt", m."createdAt") AS "at", m."createdAt", m."position", m."kind", m."direction" FROM "Message" m
      WHERE m."conversationId" = w."id" ORDER BY m."position" DESC LIMIT 3 * l."most" + 20) r
    WHERE w."clientId" = t."id" AND w."customerId" = c."id" AND w."updatedAt" > now() - l."window"
      AND r."createdAt" > now() - l."window"
      AND (r."kind" = 'rate_notice' OR (r."direction" = 'INBOUND' AND r."kind" = 'text'))), '[]')`;

function customerJson(row: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`jsonb_build_object('id', ${row}."id", 'phone', ${row}."phone", 'userId', ${row}."userId",
    'optedOut', ${row}."optedOutAt" IS NOT NULL)`;
}

/**
 * SQL: the join that finds the customer of this address, and everybody else whom it shows to be the
 * same person. A user id is a person, a phone number only where they are reached; among equals the
 * one who wrote last.
 */
function personOf({ channel, customer, ids }: Address): { join: Prisma.Sql; others: Prisma.Sql } {
  if (ids === undefined)
    return {
      join: Prisma.sql`"Customer" c ON c."clientId" = t."id" AND c."phone" = ${customer}`,
      others: Prisma.sql`'[]'::jsonb`,
    };
  const known = [ids, ids.formerly];
  const phones = known.flatMap((one) => one?.phone ?? []);
  const userIds = known.flatMap((one) => one?.userId ?? []);
  const isOne = (row: Prisma.Sql) =>
    Prisma.sql`${row}."clientId" = t."id" AND (${row}."phone" = ANY(${phones}) OR ${row}."userId" = ANY(${userIds}))`;
  return {
    join: Prisma.sql`LATERAL (
      SELECT p.* FROM "Customer" p WHERE ${isOne(Prisma.sql`p`)}
      ORDER BY p."userId" = ${ids.userId} DESC NULLS LAST,
        (SELECT max(w."updatedAt") FROM "Conversation" w WHERE w."customerId" = p."id" AND w."channel" = ${channel}) DESC NULLS LAST,
        p."createdAt" LIMIT 1) c ON true`,
    others: Prisma.sql`COALESCE((SELECT jsonb_agg(${customerJson(Prisma.sql`o`)} ORDER BY o."createdAt")
      FROM "Customer" o WHERE ${isOne(Prisma.sql`o`)} AND o."id" <> c."id"), '[]')`,
  };
}
