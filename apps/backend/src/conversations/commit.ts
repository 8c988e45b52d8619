import { newId, type Database, type Tx } from "@jobrun/db";
import type { JobDraft, Urgency } from "../assistant/assistant.ts";
import { kindColumns, type OutboxText } from "../outbound/enqueue.ts";
import type { ConsentChange } from "./decide.ts";
import type { Address, StoredText, View } from "./prepare.ts";

/** An inbound text that is not in the database yet. */
export interface NewText extends StoredText {
  providerMessageId: string;
  requestId: string;
}

/** A text to send: a row of the outbox. */
export interface NewOutbound extends OutboxText {
  /** Operator texts belong to no conversation, so that a customer's replies never wait for them. */
  inConversation: boolean;
}

export interface JobRecord extends JobDraft {
  id: string;
  /** Null of a new one: the commit gives it the tenant's next */
  number: number | null;
  urgency: Urgency;
  status: "NEEDS_INFO" | "READY" | "URGENT" | "ACCEPTED";
}

/** What a turn writes. Everything in it was decided from `view`. */
export interface Plan {
  view: View;
  address: Address;
  /** The number of ours the customer texted, E.164: the sender of what we answer */
  texted: string;
  requestId: string;
  inbound: NewText[];
  /** Stored before and answered by this turn. */
  answered: string[];
  /** Status of the new inbound rows. */
  status: "RECEIVED" | "DEFERRED";
  outbound: NewOutbound[];
  job: JobRecord | null;
  /** What the operator is told when this turn makes the job urgent, once its number is known */
  urgentAlert: ((jobNumber: number) => OutboxText) | null;
  consent: ConsentChange | null;
}

export interface Committed {
  conversationId: string;
  outbound: { id: string; kind: string; segments: number }[];
}

/** A job that became urgent in this transaction. */
export interface UrgentJob {
  tenantId: string;
  jobId: string;
  requestId: string;
}

/** Something the plan relied on is no longer so: another turn was committed in between. Nothing is written. */
export class WorldChanged extends Error {
  override readonly name = "WorldChanged";
}

/**
 * COMMIT: one transaction that writes all of a turn or nothing, and re-checks what the plan relied
 * on: every message id unused, the conversation as it was read.
 *
 * @param onUrgentJob what else belongs into the transaction when a job becomes urgent
 * @throws WorldChanged when the plan must be made again from a new view
 */
export async function commit(
  db: Database,
  plan: Plan,
  onUrgentJob: (tx: Tx, job: UrgentJob) => Promise<void> = async () => {},
): Promise<Committed> {
  const { view, address, consent, urgentAlert, requestId } = plan;
  const { tenantId } = address;
  return db.tenantTransaction(tenantId, async (tx) => {
    const conversation = view.conversation ?? (await open(tx, plan));
    if (consent !== null && view.customer !== null)
      await recordConsent(tx, consent, view.customer.id, conversation.id);
    if (plan.job === null) return write(tx, plan, conversation, null, []);

    const job = { ...plan.job, number: plan.job.number ?? (await takeJobNumber(tx, tenantId)) };
    const alerts = urgentAlert === null ? [] : [urgentAlert(job.number)];
    const committed = await write(tx, plan, conversation, job, alerts);
    if (urgentAlert !== null) await onUrgentJob(tx, { tenantId, jobId: job.id, requestId });
    return committed;
  });
}

/** What waits for somebody who wants no more texts is not sent any more. */
async function recordConsent(
  tx: Tx,
  { optedOut }: ConsentChange,
  customerId: string,
  conversationId: string,
): Promise<void> {
  await tx.$executeRaw`
    WITH customer AS (
      UPDATE "Customer" SET "optedOutAt" = CASE WHEN ${optedOut} THEN now() END WHERE "id" = ${customerId}::uuid
    )
    UPDATE "Message" SET "status" = 'FAILED', "errorCode" = 'opted-out'
    WHERE ${optedOut} AND "conversationId" = ${conversationId}::uuid AND "status" = 'QUEUED'
      AND "kind" <> 'opt_out_confirmation'`;
}

/** Numbers count up per tenant; two conversations that begin a job at once wait for each other here. */
async function takeJobNumber(tx: Tx, tenantId: string): Promise<number> {
  const [row] = await tx.$queryRaw<{ number: number }[]>`
    UPDATE "Client" SET "lastJobNumber" = "lastJobNumber" + 1 WHERE "id" = ${tenantId}::uuid
    RETURNING "lastJobNumber" AS "number"`;
  if (row === undefined) throw new Error("the tenant of this job does not exist");
  return row.number;
}

/** First contact: the customer, if new, and the conversation. Somebody else may be first: then nothing is inserted. */
async function open(tx: Tx, plan: Plan): Promise<{ id: string; revision: number }> {
  const { tenantId, channel, customer } = plan.address;
  const id = newId();
  const inserted = await tx.$executeRaw`
    WITH customer AS (
      INSERT INTO "Customer" ("id", "clientId", "phone", "optedOutAt")
      SELECT ${newId()}::uuid, ${tenantId}::uuid, ${customer}, CASE WHEN ${plan.consent?.optedOut ?? false} THEN now() END
      WHERE ${plan.view.customer === null}
      ON CONFLICT DO NOTHING RETURNING "id"
    )
    INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel", "revision")
    SELECT ${id}::uuid, ${tenantId}::uuid, COALESCE((SELECT "id" FROM customer), ${plan.view.customer?.id ?? null}::uuid), ${channel}, 0
    WHERE ${plan.view.customer !== null} OR EXISTS (SELECT 1 FROM customer)
    ON CONFLICT DO NOTHING`;
  if (inserted !== 1) throw new WorldChanged();
  return { id, revision: 0 };
}

/**
 * One statement for the rest. `turn` takes the conversation's row lock and is the compare-and-set on
 * its revision; all else hangs on it, so positions within a conversation are given in commit order.
 */
async function write(
  tx: Tx,
  plan: Plan,
  conversation: { id: string; revision: number },
  job: (JobRecord & { number: number }) | null,
  operatorTexts: OutboxText[],
): Promise<Committed> {
  const rows = messageRows(plan, operatorTexts);
  const [counts] = await tx.$queryRaw<{ turns: number; stored: number; answered: number }[]>`
    WITH turn AS (
      UPDATE "Conversation" SET "revision" = "revision" + 1, "updatedAt" = now()
      WHERE "id" = ${conversation.id}::uuid AND "revision" = ${conversation.revision}
      RETURNING "id", "clientId", "channel"
    ), answered AS (
      UPDATE "Message" m SET "status" = 'RECEIVED' FROM turn
      WHERE m."id" = ANY(${plan.answered}::uuid[]) AND m."conversationId" = turn."id" AND m."status" = 'DEFERRED'
      RETURNING 1
    ), stored AS (
      INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
        "body", "media", "segments", "status", "requestId", "twilioSid", "priority", "expiresAt")
      SELECT r."id", turn."clientId", CASE WHEN r."inConversation" THEN turn."id" END, r."direction"::"MessageDirection",
        turn."channel", r."kind", r."sender", r."recipient", r."body", r."media", r."segments",
        r."status"::"MessageStatus", r."requestId", r."twilioSid", r."priority",
        now() + make_interval(secs => r."lifeSeconds")
      FROM turn, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r("id" uuid, "inConversation" boolean,
        "direction" text, "kind" text, "sender" text, "recipient" text, "body" text, "media" jsonb, "segments" int,
        "status" text, "requestId" text, "twilioSid" text, "priority" smallint, "lifeSeconds" int, "order" int)
      ORDER BY r."order"
      ON CONFLICT DO NOTHING RETURNING 1
    ), job AS (
      INSERT INTO "Job" ("id", "clientId", "conversationId", "number", "summary", "type", "location", "requestedTime",
        "customerName", "urgency", "status", "alertedAt")
      SELECT j."id", turn."clientId", turn."id", j."number", j."summary", j."type", j."location", j."requestedTime",
        j."customerName", j."urgency", j."status"::"JobStatus", CASE WHEN j."status" = 'URGENT' THEN now() END
      FROM turn, jsonb_to_recordset(${JSON.stringify(job === null ? [] : [job])}::jsonb) AS j("id" uuid,
        "number" int, "summary" text, "type" text, "location" text, "requestedTime" text, "customerName" text, "urgency" text, "status" text)
      ON CONFLICT ("conversationId") WHERE "status" NOT IN ('DECLINED', 'DONE') DO UPDATE SET
        "summary" = EXCLUDED."summary", "type" = EXCLUDED."type", "location" = EXCLUDED."location",
        "requestedTime" = EXCLUDED."requestedTime", "customerName" = EXCLUDED."customerName",
        "urgency" = EXCLUDED."urgency", "status" = EXCLUDED."status",
        "alertedAt" = COALESCE("Job"."alertedAt", EXCLUDED."alertedAt"), "updatedAt" = now(),
        -- an accepted job that becomes an emergency waits for an answer again
        "answeredAt" = CASE WHEN "Job"."status" = 'URGENT' OR EXCLUDED."status" <> 'URGENT' THEN "Job"."answeredAt" END
    )
    SELECT (SELECT count(*) FROM turn)::int AS "turns", (SELECT count(*) FROM stored)::int AS "stored",
           (SELECT count(*) FROM answered)::int AS "answered"`;
  if (
    counts?.turns !== 1 ||
    counts.stored !== rows.length ||
    counts.answered !== plan.answered.length
  )
    throw new WorldChanged();
  const outbound = rows.filter((row) => row.direction === "OUTBOUND");
  return { conversationId: conversation.id, outbound };
}

function messageRows(plan: Plan, operatorTexts: OutboxText[]) {
  const inbound = plan.inbound.map((text) => ({
    id: text.id,
    inConversation: true,
    direction: "INBOUND",
    kind: "text",
    sender: plan.address.customer,
    recipient: plan.texted,
    body: text.body,
    media: text.media,
    segments: 1,
    status: plan.status,
    requestId: text.requestId,
    twilioSid: text.providerMessageId,
    priority: 0,
    lifeSeconds: null,
  }));
  const texts = [
    ...plan.outbound,
    ...operatorTexts.map((text) => ({ ...text, inConversation: false })),
  ];
  const outbound = texts.map((text) => ({
    id: newId(),
    inConversation: text.inConversation,
    direction: "OUTBOUND",
    kind: text.kind,
    sender: plan.texted,
    recipient: text.recipient,
    body: text.body,
    media: [],
    segments: text.segments,
    status: "QUEUED",
    requestId: plan.requestId,
    twilioSid: null,
    ...kindColumns(text.kind),
  }));
  return [...inbound, ...outbound].map((row, order) => ({ ...row, order }));
}
