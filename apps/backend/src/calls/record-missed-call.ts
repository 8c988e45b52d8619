import { newId, type Tx } from "@jobrun/db";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import { fill } from "../texts/fill.ts";
import type { CallDeps, ReportedCall } from "./call-deps.ts";
import type { Call } from "./parse-call.ts";
import type { CalledTenant } from "./resolve-callee.ts";

export interface TenantCall extends ReportedCall {
  tenant: CalledTenant;
  callerIsOurs: boolean;
  /** The fail-safe, which needs no database, has texted this caller already */
  wasTexted: boolean;
}

type NoText =
  | Exclude<Call["caller"]["kind"], "phone">
  | "own_number"
  | "failsafe_sent"
  | "opted_out"
  | "cooldown";

export type RecordedCall =
  | { kind: "duplicate" }
  | {
      kind: "recorded";
      /** Null where the caller is no customer */
      conversationId: string | null;
      text: { messageId: string; segments: number } | { noText: NoText };
      /** What the end of a sign-up asks for, now that it is committed */
      afterCommit: (() => void) | null;
    };

/** Calls are answered by text message, in the conversation that the caller has on that channel. */
const CHANNEL = "sms";

/** Rolls back all that was written about a call which another process has recorded meanwhile. */
class AlreadyRecorded extends Error {}

/**
 * Writes a missed call to a tenant and the text that answers it, in one transaction. A call is
 * recorded once, for ever, by the id of its first leg, and its caller texted once per cooldown.
 *
 * @throws when nothing could be written
 */
export async function recordMissedCall(deps: CallDeps, missed: TenantCall): Promise<RecordedCall> {
  try {
    return await deps.db.tenantTransaction(missed.tenant.id, (tx) => record(deps, tx, missed));
  } catch (error) {
    if (error instanceof AlreadyRecorded) return { kind: "duplicate" };
    throw error;
  }
}

async function record(deps: CallDeps, tx: Tx, missed: TenantCall): Promise<RecordedCall> {
  const { call, requestId } = missed;
  if (await isRecorded(tx, call)) return { kind: "duplicate" };
  // Who made the call that ends a sign-up cannot be known: a customer may have been first, so it is answered too.
  const afterCommit = await deps.completeTestCall(tx, { number: call.called, requestId });
  const noText = noTextTo(missed);
  if (noText === null)
    return { kind: "recorded", ...(await recordForCustomer(deps, tx, missed)), afterCommit };
  await insertCall(tx, missed, null);
  return { kind: "recorded", conversationId: null, text: { noText }, afterCommit };
}

/** Whatever the row, it is visible: one call has one number, and a number one tenant. */
async function isRecorded(tx: Tx, { rootSid }: Call): Promise<boolean> {
  const rows = await tx.$queryRaw<
    unknown[]
  >`SELECT 1 FROM "Message" WHERE "providerMessageId" = ${rootSid}`;
  return rows.length > 0;
}

async function recordForCustomer(deps: CallDeps, tx: Tx, missed: TenantCall) {
  const { id: conversationId } = await lockConversation(tx, missed);
  await insertCall(tx, missed, conversationId);
  const noText = missed.wasTexted ? "failsafe_sent" : await silenceFor(deps, tx, missed);
  const text =
    noText === null ? await queueText(tx, missed, conversationId) : ({ noText } as const);
  return { conversationId, text };
}

function noTextTo({ call, callerIsOurs }: TenantCall): NoText | null {
  if (call.caller.kind !== "phone") return call.caller.kind;
  return callerIsOurs || call.caller.address === call.called ? "own_number" : null;
}

/**
 * The caller's conversation, made if there is none. Its row lock puts calls of one person in a line:
 * what is read after it has seen every earlier call, and messages are in the order of their commits.
 */
async function lockConversation(tx: Tx, { tenant, call }: TenantCall): Promise<{ id: string }> {
  const phone = call.caller.address;
  await tx.$executeRaw`
    INSERT INTO "Customer" ("id", "clientId", "phone") VALUES (${newId()}::uuid, ${tenant.id}::uuid, ${phone})
    ON CONFLICT DO NOTHING`;
  await tx.$executeRaw`
    INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel", "revision")
    SELECT ${newId()}::uuid, ${tenant.id}::uuid, "id", ${CHANNEL}, 0 FROM "Customer"
    WHERE "clientId" = ${tenant.id}::uuid AND "phone" = ${phone}
    ON CONFLICT DO NOTHING`;
  const [conversation] = await tx.$queryRaw<{ id: string }[]>`
    UPDATE "Conversation" v SET "revision" = v."revision" + 1, "updatedAt" = now() FROM "Customer" c
    WHERE c."id" = v."customerId" AND c."clientId" = ${tenant.id}::uuid AND c."phone" = ${phone}
      AND v."channel" = ${CHANNEL}
    RETURNING v."id"`;
  if (conversation === undefined) throw new Error("the caller's conversation is gone");
  return conversation;
}

/** @throws AlreadyRecorded when another process was faster */
async function insertCall(
  tx: Tx,
  { tenant, call, requestId }: TenantCall,
  conversationId: string | null,
): Promise<void> {
  const inserted = await tx.$executeRaw`
    INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
      "body", "status", "requestId", "providerMessageId")
    VALUES (${newId()}::uuid, ${tenant.id}::uuid, ${conversationId}::uuid, 'INBOUND', ${CHANNEL}, 'call',
      ${call.caller.address}, ${call.called}, '', 'RECEIVED', ${requestId}, ${call.rootSid})
    ON CONFLICT DO NOTHING`;
  if (inserted !== 1) throw new AlreadyRecorded();
}

/** A statement of its own, after the lock: only so it sees what others committed while this one waited. */
async function silenceFor(
  { cooldownMinutes }: CallDeps,
  tx: Tx,
  { tenant, call }: TenantCall,
): Promise<"opted_out" | "cooldown" | null> {
  const [row] = await tx.$queryRaw<{ optedOut: boolean; textedLately: boolean }[]>`
    SELECT "optedOutAt" IS NOT NULL AS "optedOut",
      EXISTS (SELECT 1 FROM "Message" WHERE "clientId" = ${tenant.id}::uuid AND "recipient" = ${call.caller.address}
        AND "kind" = 'missed_call' AND "status" <> 'FAILED'
        AND "createdAt" > now() - make_interval(secs => ${cooldownMinutes * 60}::float8)) AS "textedLately"
    FROM "Customer" WHERE "clientId" = ${tenant.id}::uuid AND "phone" = ${call.caller.address}`;
  if (row?.optedOut) return "opted_out";
  return row?.textedLately ? "cooldown" : null;
}

async function queueText(
  tx: Tx,
  { tenant, call, requestId }: TenantCall,
  conversationId: string,
): Promise<{ messageId: string; segments: number }> {
  const words = fill(customerTexts.missedCall[tenant.locale], { business: tenant.name });
  const text = outboxText("missed_call", words, call.caller.address);
  const messageId = await enqueue(tx, {
    ...text,
    tenantId: tenant.id,
    channel: CHANNEL,
    sender: call.called,
    requestId,
    conversationId,
  });
  return { messageId, segments: text.segments };
}
