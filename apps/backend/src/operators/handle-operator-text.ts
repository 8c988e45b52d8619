import { newId, type Database, type Tx } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import type { Logger } from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { isConsentKeyword } from "../conversations/decide.ts";
import type { InboundResult, InboundText } from "../conversations/handle-inbound.ts";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Timers } from "../timers/timers.ts";
import { answerCommand } from "./answer-command.ts";
import type { CommandContext, Effects } from "./command-context.ts";
import { parseCommand } from "./parse-command.ts";
import { localeOf } from "../texts/fill.ts";

export interface OperatorDeps {
  db: Database;
  timers: Timers;
  channels: ReadonlyMap<ChannelName, Channel>;
  events: Events;
  metrics: Metrics;
  alerts: Pick<AlertService, "recordTransactionFailure">;
  logger: Logger;
  /** Called after a commit that queued texts */
  wakeOutbox: () => void;
}

/**
 * Stores a text of an operator or second contact to their tenant's number, does what it asks for and
 * queues the answer: all in one transaction, once per message id. Never throws.
 */
export async function handleOperatorText(
  deps: OperatorDeps,
  text: InboundText,
): Promise<InboundResult> {
  const { requestId, providerMessageId } = text;
  const { tenantId } = text.address;
  const effects: Effects = { queued: [], changed: [], acknowledged: [] };
  try {
    const isNew = await deps.db.tenantTransaction(tenantId, async (tx) => {
      if (!(await store(tx, text))) return false;
      await answer(deps, tx, text, effects);
      return true;
    });
    if (!isNew) return { kind: "duplicate" };
  } catch (error) {
    deps.metrics.transactionsFailed.inc();
    deps.alerts.recordTransactionFailure();
    deps.events.emit("transaction_failed", {
      requestId,
      tenantId,
      providerMessageId,
      errorClass: error instanceof Error ? error.name : "unknown",
    });
    deps.logger.error("operator's text failed", { requestId, error });
    return { kind: "failed" };
  }
  announce(deps, text, effects);
  if (effects.queued.length > 0) deps.wakeOutbox();
  return { kind: "committed" };
}

/** False when the id is used. Somebody who stores it at this moment is waited for. */
async function store(tx: Tx, text: InboundText): Promise<boolean> {
  const { tenantId, channel, customer: operator } = text.address;
  const payload = text.payload === null ? null : JSON.stringify(text.payload);
  const stored = await tx.$executeRaw`
    INSERT INTO "Message" ("id", "clientId", "direction", "channel", "kind", "sender", "recipient", "body", "media",
      "type", "payload", "status", "requestId", "providerMessageId")
    VALUES (${newId()}::uuid, ${tenantId}::uuid, 'INBOUND', ${channel}, 'operator_text', ${operator}, ${text.texted},
      ${text.body}, ${JSON.stringify(text.media)}::jsonb, ${text.type}, ${payload}::jsonb, 'RECEIVED', ${text.requestId}, ${text.providerMessageId})
    ON CONFLICT DO NOTHING`;
  return stored === 1;
}

async function answer(
  { timers, channels }: OperatorDeps,
  tx: Tx,
  { address, texted, requestId, body, silent }: InboundText,
  effects: Effects,
): Promise<void> {
  // The provider answers STOP and the like itself; whether it texts an operator is its affair.
  if (isConsentKeyword(body) || silent) return;
  const { operatorPhone, locale, ...tenant } = await readTenant(tx, address.tenantId);
  const context: CommandContext = {
    tx,
    timers,
    channels,
    tenant,
    locale: localeOf(locale),
    byOwner: address.customer === operatorPhone,
    texted,
    requestId,
    effects,
  };
  const words = await answerCommand(context, parseCommand(body, context.locale));
  const { tenantId, channel } = address;
  const reply = outboxText(
    "operator_reply",
    words,
    address.customer,
    channels.get(channel)?.fitText,
  );
  const messageId = await enqueue(tx, { ...reply, tenantId, channel, sender: texted, requestId });
  effects.queued.push({ messageId, kind: reply.kind, segments: reply.segments });
}

async function readTenant(tx: Tx, tenantId: string) {
  const [tenant] = await tx.$queryRaw<
    { id: string; name: string; ownerName: string | null; operatorPhone: string; locale: string }[]
  >`
    SELECT "id", "name", "ownerName", "operatorPhone", "locale" FROM "Client" WHERE "id" = ${tenantId}::uuid`;
  if (tenant === undefined) throw new Error("the tenant of this number does not exist");
  return tenant;
}

function announce(
  { events }: OperatorDeps,
  { requestId, address: { tenantId } }: InboundText,
  { queued, changed, acknowledged }: Effects,
): void {
  for (const job of changed) events.emit("job_upserted", { requestId, tenantId, ...job });
  for (const job of acknowledged)
    events.emit("urgent_job_acknowledged", { requestId, tenantId, ...job });
  for (const text of queued) events.emit("message_queued", { requestId, tenantId, ...text });
}
