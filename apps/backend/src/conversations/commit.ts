import { newId, type Database, type Tx } from "@jobrun/db";
import type { JobDraft, Urgency } from "../assistant/assistant.ts";
import { blockAssignments, countUsage, type LimitsChange } from "../limits/usage.ts";
import { kindColumns, type OutboxText } from "../outbound/enqueue.ts";
import type { ConsentChange } from "./decide.ts";
import { identify } from "./identify.ts";
import type { Address, StoredText, View } from "./prepare.ts";
import { WorldChanged } from "./world-changed.ts";

/** An inbound text that is not in the database yet. */
export interface NewText extends StoredText {
  providerMessageId: string;
  requestId: string;
  /** What it consists of, such as `text` or `image` */
  type: string;
  /** What its words do not say, in the provider's own form */
  payload: unknown;
  /** When it was sent, as far as the provider says so, milliseconds since the epoch */
  sentAt: number | null;
}

/** A text to send: a row of the outbox. */
export interface NewOutbound extends OutboxText {
  /**
   * `customer`: in the conversation, from the number that was texted. `operator`: in none, so that a
   * customer's replies never wait for it, and from the number that texts the operator.
   */
  to: "customer" | "operator";
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
  /** What the provider calls the number of ours that was texted: the sender of what we answer */
  texted: string;
  /** Whence the operator is texted */
  operatorSender: { channel: string; number: string };
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
  /** Whether what is attached must be fetched from the provider */
  fetchesMedia: boolean;
  /** Absent where limits were not looked at */
  limits?: LimitsChange;
}

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

/** Seconds since the epoch. */
function lastSentAt({ inbound }: Plan): number | null {
  const now = Date.now();
  // A change of number, or of what was said, is no message that opens a window.
  const times = inbound.flatMap(({ silent, sentAt }) => (silent ? [] : (sentAt ?? now) / 1000));
  return times.length === 0 ? null : Math.max(...times);
}

function messageRows(plan: Plan, operatorTexts: OutboxText[]) {
  const { address, texted, operatorSender } = plan;
  const inbound = plan.inbound.map((text) => ({
    id: text.id,
    inConversation: true,
    direction: "INBOUND",
    channel: address.channel,
    kind: text.silent ? "silent" : "text",
    sender: address.customer,
    recipient: texted,
    body: text.body,
    media: text.media,
    type: text.type,
    payload: text.payload,
    segments: 1,
    status: plan.status,
    requestId: text.requestId,
    providerMessageId: text.providerMessageId,
    sentAt: text.sentAt === null ? null : text.sentAt / 1000,
    priority: 0,
    lifeSeconds: null,
  }));
  const texts: NewOutbound[] = [
    ...plan.outbound,
    ...operatorTexts.map((text) => ({ ...text, to: "operator" as const })),
  ];
  const outbound = texts.map((text) => ({
    id: newId(),
    ...(text.to === "customer"
      ? { inConversation: true, channel: address.channel, sender: texted }
      : {
          inConversation: false,
          channel: operatorSender.channel,
          sender: operatorSender.number,
        }),
    direction: "OUTBOUND",
    kind: text.kind,
    recipient: text.recipient,
    body: text.body,
    media: [],
    type: "text",
    payload: null,
    segments: text.segments,
    status: "QUEUED",
    requestId: plan.requestId,
    providerMessageId: null,
    sentAt: null,
    ...kindColumns(text.kind),
  }));
  return [...inbound, ...outbound].map((row, order) => ({ ...row, order }));
}
