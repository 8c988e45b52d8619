import { newId, type Database, type Tx } from "@jobrun/db";
import { blockAssignments, countUsage } from "../limits/usage.ts";
import type { OutboxText } from "../outbound/enqueue.ts";
import type { ConsentChange } from "./decide.ts";
import { identify } from "./identify.ts";
import { lastSentAt, messageRows } from "./message-rows.ts";
import type { JobRecord, Plan } from "./plan.ts";
import { WorldChanged } from "./world-changed.ts";

export interface Committed {
  conversationId: string;
  /** Answers of the month that the plan counted against a limit, its own included; null when it did not */
  answers: number | null;
  outbound: { id: string; kind: string; segments: number }[];
}

/** A job that became urgent in this transaction. */
export interface UrgentJob {
  tenantId: string;
  jobId: string;
  requestId: string;
}

/**
 * COMMIT: one transaction that writes all of a turn or nothing, and re-checks what the plan relied
 * on: every message id unused, the conversation as it was read, an answer left.
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
    await learnIds(tx, plan);
    const conversation = view.conversation ?? (await open(tx, plan));
    if (consent !== null && view.customer !== null)
      await recordConsent(tx, consent, view.customer.id, conversation.id);
    if (plan.job === null) {
      const committed = await write(tx, plan, conversation, null, []);
      await keepMedia(tx, plan);
      return committed;
    }

    const job = { ...plan.job, number: plan.job.number ?? (await takeJobNumber(tx, tenantId)) };
    const alerts = urgentAlert === null ? [] : [urgentAlert(job.number)];
    const committed = await write(tx, plan, conversation, job, alerts);
    await keepMedia(tx, plan);
    if (urgentAlert !== null) await onUrgentJob(tx, { tenantId, jobId: job.id, requestId });
    return committed;
  });
}

/** What this turn shows of who its customer is. Others who are the same person were made one before the view was read. */
async function learnIds(
  tx: Tx,
  { view: { customer, others }, address: { ids } }: Plan,
): Promise<void> {
  if (others.length > 0) throw new WorldChanged();
  if (customer !== null && ids !== undefined) await identify(tx, customer, others, ids);
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
      AND "kind" <> 'opt_out_confirmation' AND "type" <> 'mark_read'`;
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
  const { tenantId, channel, customer, ids } = plan.address;
  const { phone, userId } = ids ?? { phone: customer, userId: null };
  const id = newId();
  const inserted = await tx.$executeRaw`
    WITH customer AS (
      INSERT INTO "Customer" ("id", "clientId", "phone", "userId", "optedOutAt")
      SELECT ${newId()}::uuid, ${tenantId}::uuid, ${phone}, ${userId}, CASE WHEN ${plan.consent?.optedOut ?? false} THEN now() END
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

interface Counts {
  turns: number;
  stored: number;
  answered: number;
  used: number | null;
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
  const usage = plan.limits?.usage ?? null;
  const counting = countUsage(usage, rows.length);
  const [counts] = await tx.$queryRaw<Counts[]>`
    WITH turn AS (
      UPDATE "Conversation" SET "revision" = "revision" + 1, "updatedAt" = now(),
        "lastInboundAt" = GREATEST("lastInboundAt", to_timestamp(${lastSentAt(plan)}))${blockAssignments(plan.limits?.block)}
      WHERE "id" = ${conversation.id}::uuid AND "revision" = ${conversation.revision}
      RETURNING "id", "clientId", "channel"
    ), answered AS (
      UPDATE "Message" m SET "status" = 'RECEIVED' FROM turn
      WHERE m."id" = ANY(${plan.answered}::uuid[]) AND m."conversationId" = turn."id" AND m."status" = 'DEFERRED'
      RETURNING 1
    ), released AS (
      UPDATE "Message" m SET "status" = 'QUEUED', "dueAt" = now() FROM turn
      WHERE ${plan.inbound.some(({ silent }) => !silent)} AND m."conversationId" = turn."id" AND m."status" = 'HELD'
    ), stored AS (
      INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
        "body", "media", "type", "payload", "segments", "status", "requestId", "providerMessageId", "sentAt", "priority", "expiresAt")
      SELECT r."id", turn."clientId", CASE WHEN r."inConversation" THEN turn."id" END, r."direction"::"MessageDirection",
        r."channel", r."kind", r."sender", r."recipient", r."body", r."media", r."type", r."payload",
        r."segments", r."status"::"MessageStatus", r."requestId", r."providerMessageId", to_timestamp(r."sentAt"), r."priority",
        now() + make_interval(secs => r."lifeSeconds")
      FROM turn, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r("id" uuid, "inConversation" boolean,
        "direction" text, "channel" text, "kind" text, "sender" text, "recipient" text, "body" text, "media" jsonb,
        "type" text, "payload" jsonb, "segments" int,
        "status" text, "requestId" text, "providerMessageId" text, "sentAt" float8, "priority" smallint, "lifeSeconds" int, "order" int)
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
    )${counting.steps}
    SELECT (SELECT count(*) FROM turn)::int AS "turns", (SELECT count(*) FROM stored)::int AS "stored",
           (SELECT count(*) FROM answered)::int AS "answered", ${counting.used} AS "used"`;
  if (
    counts?.turns !== 1 ||
    counts.stored !== rows.length ||
    counts.answered !== plan.answered.length ||
    (usage !== null && counts.used === null)
  )
    throw new WorldChanged();
  const outbound = rows.filter((row) => row.direction === "OUTBOUND");
  const answers = usage === null || usage.limit === null ? null : counts.used;
  return { conversationId: conversation.id, answers, outbound };
}

/** What is attached is fetched later, in a step of its own: a picture that is away must not cost the words. */
async function keepMedia(tx: Tx, { fetchesMedia, inbound, address }: Plan): Promise<void> {
  const files = inbound.flatMap(({ id: messageId, media }) =>
    media.map(({ url: reference, contentType }) => ({
      id: newId(),
      messageId,
      reference,
      contentType,
    })),
  );
  if (!fetchesMedia || files.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO "MediaFile" ("id", "clientId", "messageId", "channel", "reference", "contentType")
    SELECT f."id", ${address.tenantId}::uuid, f."messageId", ${address.channel}, f."reference", f."contentType"
    FROM jsonb_to_recordset(${JSON.stringify(files)}::jsonb)
      AS f("id" uuid, "messageId" uuid, "reference" text, "contentType" text)`;
}
