import { Prisma, type Database } from "@jobrun/db";
import type { JobDraft, Urgency } from "../assistant/assistant.ts";
import type { Locale } from "../texts/fill.ts";

interface Tenant {
  id: string;
  name: string;
  locale: Locale;
  operatorPhone: string;
  outboundPaused: boolean;
  aiDisabled: boolean;
}

export interface StoredText {
  id: string;
  body: string;
  media: { url: string; contentType: string }[];
}

/** All that a turn needs to know, as of one moment. */
export interface View {
  tenant: Tenant;
  customer: { id: string; optedOut: boolean } | null;
  conversation: {
    id: string;
    mode: "OPERATIONAL" | "ONBOARDING";
    revision: number;
    /** The operator writes to this customer themselves, for the time being */
    humanTakenOver: boolean;
  } | null;
  /** The newest 20 messages before this turn, oldest first. */
  history: { direction: "INBOUND" | "OUTBOUND"; body: string }[];
  /** Stored, not answered: this turn answers them too. Oldest first. */
  deferred: StoredText[];
  openJob: (JobDraft & { id: string; number: number; urgency: Urgency; status: string }) | null;
  /** Those of the ids asked for that are committed already. */
  knownIds: string[];
}

/** Who talks to whom: one conversation. */
export interface Address {
  tenantId: string;
  channel: string;
  /** E.164, or the sender's short code or name */
  customer: string;
}

/**
 * PREPARE: reads everything a turn needs in one query and one short transaction.
 *
 * @throws when the tenant is gone or the database does not answer
 */
export async function prepare(
  db: Database,
  address: Address,
  providerMessageIds: string[],
): Promise<View> {
  const query = viewOf(address, providerMessageIds);
  const [view] = await db.tenantRead<View>(address.tenantId, query);
  if (view === undefined) throw new Error("the tenant of this number does not exist");
  return view;
}

/**
 * OFFSET 0 keeps the conversation's look-up from being planned as a part of the join: while there are no
 * statistics, the planner would rather read all conversations of the tenant.
 */
function viewOf(address: Address, providerMessageIds: string[]): Prisma.Sql {
  return Prisma.sql`
    SELECT
      jsonb_build_object('id', t."id", 'name', t."name", 'locale', t."locale", 'operatorPhone', t."operatorPhone",
        'outboundPaused', t."outboundPaused", 'aiDisabled', t."aiDisabled") AS "tenant",
      CASE WHEN c."id" IS NOT NULL THEN
        jsonb_build_object('id', c."id", 'optedOut', c."optedOutAt" IS NOT NULL) END AS "customer",
      CASE WHEN v."id" IS NOT NULL THEN
        jsonb_build_object('id', v."id", 'mode', v."mode", 'revision', v."revision",
          'humanTakenOver', COALESCE(v."humanUntil" > now(), false)) END AS "conversation",
      COALESCE((SELECT jsonb_agg(jsonb_build_object('direction', h."direction", 'body', h."body") ORDER BY h."position")
        FROM (SELECT "direction", "body", "position" FROM "Message"
              WHERE "conversationId" = v."id" AND "status" <> 'DEFERRED' AND "kind" <> 'call'
              ORDER BY "position" DESC LIMIT 20) h), '[]') AS "history",
      COALESCE((SELECT jsonb_agg(jsonb_build_object('id', d."id", 'body', d."body", 'media', d."media") ORDER BY d."position")
        FROM "Message" d WHERE d."conversationId" = v."id" AND d."status" = 'DEFERRED'), '[]') AS "deferred",
      (SELECT jsonb_build_object('id', j."id", 'number', j."number", 'summary', j."summary", 'type', j."type", 'location', j."location",
          'requestedTime', j."requestedTime", 'customerName', j."customerName", 'urgency', j."urgency", 'status', j."status")
        FROM "Job" j WHERE j."conversationId" = v."id" AND j."status" NOT IN ('DECLINED', 'DONE')) AS "openJob",
      ARRAY(SELECT "twilioSid" FROM "Message" WHERE "twilioSid" = ANY(${providerMessageIds})) AS "knownIds"
    FROM "Client" t
    LEFT JOIN "Customer" c ON c."clientId" = t."id" AND c."phone" = ${address.customer}
    LEFT JOIN LATERAL (SELECT "id", "mode", "revision", "humanUntil" FROM "Conversation"
      WHERE "clientId" = t."id" AND "customerId" = c."id" AND "channel" = ${address.channel} OFFSET 0) v ON true
    WHERE t."id" = ${address.tenantId}::uuid`;
}
