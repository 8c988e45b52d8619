import { newId, type Database, type Tx } from "@jobrun/db";
import type { Logger } from "winston";
import type { Events } from "../telemetry/events.ts";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import { definitionOf, type Severity } from "./alert-types.ts";
import type { PagerDutyConfig } from "./pagerduty-channel.ts";
import { planDelivery, type AlertChannel, type Attempt } from "./plan-delivery.ts";
import { postChannels, postThrough } from "./post-channels.ts";
import { resolveDeliveries } from "./resolve-deliveries.ts";
import { noticeText, type AlertNotice } from "./webhook-channel.ts";

export interface AlertConfig {
  /** Incidents are recorded, nobody is told. */
  disabled: boolean;
  founderPhone: string | null;
  /** Sends the founder's texts. */
  opsNumber: string | null;
  webhookUrl: string | null;
  pagerDuty: PagerDutyConfig | null;
}

export interface DeliveryDeps {
  db: Database;
  logger: Logger;
  events: Events;
  config: AlertConfig;
  wakeOutbox: () => void;
}

interface Notice extends AlertNotice {
  id: string;
  lastSeenAt: Date;
}

interface Claim {
  deliveryId: string;
  channel: AlertChannel;
}

/** A text not sent by then counts as failed. Longer than a post takes with its retries. */
const PATIENCE_MS = 60_000;
/** Older attempts are forgotten: an incident still open is mentioned again once a week. */
const HISTORY_MS = 7 * 24 * 3_600_000;
const MOST_AT_ONCE = 100;

/** The configured channels, in the order in which they are tried. */
export function configuredChannels(config: AlertConfig): AlertChannel[] {
  return [
    ...(config.founderPhone !== null && config.opsNumber !== null ? (["sms"] as const) : []),
    ...postChannels(config),
  ];
}

/**
 * Tells the founder what is due. Any number of processes may run it at once: an attempt is claimed
 * under a lock on its incident, and made after that transaction ended.
 */
export async function deliverDue(deps: DeliveryDeps, now: Date): Promise<void> {
  await settlePending(deps, now);
  const open = await readOpen(deps.db.service);
  const attempts = await readAttempts(deps.db.service, open, now);
  const due = open.filter((notice) => plan(deps, notice, attempts, now).length > 0);
  await Promise.all(due.map((notice) => deliver(deps, notice.id, now)));
  await resolveDeliveries(deps, now);
}

async function deliver(deps: DeliveryDeps, alertId: string, now: Date): Promise<void> {
  const claimed = await deps.db.serviceTransaction((tx) => claim(deps, tx, alertId, now));
  if (claimed === null) return;
  const { notice, claims, queued } = claimed;
  if (queued !== null) {
    deps.events.emit("message_queued", queued);
    deps.wakeOutbox();
  }
  await Promise.all(
    claims.map(({ deliveryId, channel }) => post(deps, notice, deliveryId, channel)),
  );
}

async function post(
  deps: DeliveryDeps,
  notice: Notice,
  deliveryId: string,
  channel: AlertChannel,
): Promise<void> {
  if (channel === "sms") return; // in the outbox since the claim
  const error = await postThrough(channel, deps.config, notice);
  await deps.db.service.$executeRaw`
    UPDATE "AlertDelivery" SET "state" = ${error === null ? "DELIVERED" : "FAILED"}, "error" = ${error}
     WHERE "id" = ${deliveryId}::uuid AND "state" = 'PENDING'`;
  report(deps, { ...notice, channel, error });
}

/** Plans again under the lock: another process may have acted since the plan was made. */
async function claim(deps: DeliveryDeps, tx: Tx, alertId: string, now: Date) {
  const locked = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "Alert" WHERE "id" = ${alertId}::uuid AND "state" = 'OPEN' FOR UPDATE SKIP LOCKED`;
  if (locked.length === 0) return null;
  const [notice] = await readOpen(tx, alertId);
  if (notice === undefined) return null;
  const channels = plan(deps, notice, await readAttempts(tx, [notice], now), now);
  if (channels.length === 0) return null;

  const queued = channels.includes("sms") ? await queueText(deps.config, tx, notice) : null;
  const claims = channels.map((channel): Claim => ({ deliveryId: newId(), channel }));
  await tx.alertDelivery.createMany({
    data: claims.map(({ deliveryId, channel }) => ({
      id: deliveryId,
      alertId,
      channel,
      severity: notice.severity,
      state: "PENDING",
      messageId: channel === "sms" ? (queued?.messageId ?? null) : null,
      attemptedAt: now,
    })),
  });
  return { notice, claims, queued };
}

async function queueText(config: AlertConfig, tx: Tx, notice: Notice) {
  const text = outboxText("founder_alert", noticeText(notice), config.founderPhone ?? "");
  const requestId = newId();
  const sender = config.opsNumber ?? "";
  const messageId = await enqueue(tx, {
    ...text,
    tenantId: null,
    channel: "sms",
    sender,
    requestId,
  });
  return { messageId, kind: text.kind, segments: text.segments, requestId };
}

/** Learns from the outbox what became of texts, and gives up on what takes too long. */
async function settlePending(deps: DeliveryDeps, now: Date): Promise<void> {
  const cutoff = new Date(now.getTime() - PATIENCE_MS).toISOString();
  // A text that waits must not arrive hours later, after others told the same; nor may they pile up.
  await deps.db.service.$executeRaw`
    UPDATE "Message" SET "status" = 'FAILED', "errorCode" = 'EXPIRED'
     WHERE "status" = 'QUEUED' AND "id" IN (
       SELECT "messageId" FROM "AlertDelivery"
        WHERE "state" = 'PENDING' AND "attemptedAt" <= ${cutoff}::timestamptz)`;
  const settled = await deps.db.service.$queryRaw<
    (AlertNotice & { channel: string; error: string | null })[]
  >`
    WITH outcome AS (
      SELECT d."id",
             CASE WHEN m."status" IN ('SENT', 'DELIVERED', 'READ') THEN 'DELIVERED'
                  WHEN m."status" IN ('FAILED', 'DEAD', 'UNKNOWN')
                    OR d."attemptedAt" <= ${cutoff}::timestamptz THEN 'FAILED' END AS "state",
             coalesce(m."errorCode", m."status"::text, 'interrupted') AS "error"
        FROM "AlertDelivery" d LEFT JOIN "Message" m ON m."id" = d."messageId"
       WHERE d."state" = 'PENDING'
    )
    UPDATE "AlertDelivery" d
       SET "state" = o."state", "error" = CASE WHEN o."state" = 'FAILED' THEN o."error" END
      FROM outcome o, "Alert" a
     WHERE d."id" = o."id" AND d."state" = 'PENDING' AND o."state" IS NOT NULL AND a."id" = d."alertId"
    RETURNING a."key", a."type", a."severity", d."channel", d."error"`;
  for (const attempt of settled) report(deps, attempt);
}

function report(
  { events, logger }: DeliveryDeps,
  attempt: { key: string; type: string; severity: string; channel: string; error: string | null },
): void {
  const { key, type, severity, channel, error } = attempt;
  if (error === null) {
    events.emit("alert_delivered", { requestId: newId(), type, key, severity, channel });
  } else {
    logger.error("alert not delivered; it stays due", { type, key, severity, channel, error });
  }
}

type Reads = Pick<Tx, "alert" | "$queryRaw">;
type KeyedAttempt = Attempt & { alertId: string; key: string };

function readOpen(reads: Reads, id?: string): Promise<Notice[]> {
  return reads.alert.findMany({
    where: { state: "OPEN", ...(id === undefined ? {} : { id }) },
    orderBy: [{ severity: "asc" }, { raisedAt: "asc" }],
    take: MOST_AT_ONCE,
  });
}

function readAttempts(reads: Reads, of: Notice[], now: Date): Promise<KeyedAttempt[]> {
  const since = new Date(now.getTime() - HISTORY_MS).toISOString();
  return reads.$queryRaw<KeyedAttempt[]>`
    SELECT d."alertId"::text, a."key", d."channel", d."severity", d."state", d."attemptedAt"
      FROM "AlertDelivery" d JOIN "Alert" a ON a."id" = d."alertId"
     WHERE a."key" = ANY(${of.map(({ key }) => key)}) AND d."attemptedAt" > ${since}::timestamptz
     ORDER BY d."attemptedAt", d."id"`;
}

function plan(
  { config }: DeliveryDeps,
  notice: Notice,
  attempts: readonly KeyedAttempt[],
  now: Date,
): readonly AlertChannel[] {
  const aboutTexts = definitionOf(notice.type)?.aboutTexts === true;
  const channels = configuredChannels(config);
  return planDelivery(
    { severity: notice.severity as Severity, lastSeenAt: notice.lastSeenAt, aboutTexts },
    attempts
      .filter(({ key }) => key === notice.key)
      .map((attempt) => ({ ...attempt, ofThisIncident: attempt.alertId === notice.id })),
    aboutTexts ? channels.toReversed() : channels,
    now.getTime(),
  );
}
