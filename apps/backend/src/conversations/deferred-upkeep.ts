import { Prisma, type Database } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import type winston from "winston";
import { reachedAt } from "../jobs/reached-at.ts";
import { OPERATOR_CHANNEL, operatorSenderOf } from "../jobs/sender-of.ts";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { DeliveryTimings } from "../outbound/timings.ts";
import type { Events } from "../telemetry/events.ts";
import { fill, type Locale } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { holdWaiting } from "./hold-waiting.ts";

export interface DeferredUpkeepDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  events: Events;
  logger: winston.Logger;
  timings: Pick<DeliveryTimings, "pollMs" | "holdingAfterMs">;
  operatorAlertMinutes: number;
  /** Texts operators whose tenant has no number of its own for it */
  defaultSender: string | undefined;
  wakeOutbox: () => void;
}

const BATCH = 20;

/** Looks after those who wait for an answer: tells customers after a minute, operators after ten. */
export function deferredUpkeep(deps: DeferredUpkeepDeps): PollLoop {
  const chores = [holdWaiting, tellOperators, leaveToOperators];
  const failure = "deferred messages could not be looked after; trying again";
  const outage = new OutageLog(deps.logger, "deferred upkeep", failure);
  const loop = new PollLoop(async () => {
    for (const chore of chores)
      await outage.watch(async () => {
        const queued = await chore(deps);
        if (queued === 0) return;
        deps.wakeOutbox();
        // After an outage more may wait than one batch.
        loop.wake();
      });
  }, deps.timings.pollMs);
  return loop;
}

/** After a day of tries nothing more is tried: the operator was told, and the alert about it ends. */
async function leaveToOperators({ db }: DeferredUpkeepDeps): Promise<number> {
  await db.service.$executeRaw`
    UPDATE "Message" SET "status" = 'RECEIVED'
    WHERE "status" = 'DEFERRED' AND "createdAt" <= now() - interval '24 hours' AND "operatorToldAt" IS NOT NULL`;
  return 0;
}

/** A text that waits too long goes to the operator as it is: the customer's own words and number. */
async function tellOperators(deps: DeferredUpkeepDeps): Promise<number> {
  const queued = await deps.db.serviceTransaction(async (tx) => {
    const waiting = await tx.$queryRaw<
      {
        id: string;
        tenantId: string;
        body: string;
        phone: string | null;
        sender: string;
        requestId: string;
        operatorPhone: string;
        locale: Locale;
      }[]
    >`
      UPDATE "Message" m SET "operatorToldAt" = now()
      FROM "Client" t, "Conversation" v, "Customer" c
      WHERE m."id" IN (
          SELECT "id" FROM "Message" WHERE "status" = 'DEFERRED' AND "operatorToldAt" IS NULL
            AND "createdAt" < now() - make_interval(secs => ${deps.operatorAlertMinutes * 60})
          ORDER BY "createdAt" LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
        AND t."id" = m."clientId" AND v."id" = m."conversationId" AND c."id" = v."customerId"
      RETURNING m."id", m."clientId" AS "tenantId", m."body", c."phone",
        COALESCE(${operatorSenderOf(Prisma.sql`v`)}, ${deps.defaultSender ?? ""}) AS "sender",
        m."requestId", t."operatorPhone", t."locale"`;
    const told = [];
    for (const text of waiting) {
      const { requestId, tenantId, sender, body: words } = text;
      const phone = reachedAt(text);
      const wording = fill(operatorTexts.notAnswered[text.locale], { phone, words });
      const channel = OPERATOR_CHANNEL;
      const alert = outboxText("deferred_alert", wording, text.operatorPhone);
      const messageId = await enqueue(tx, { ...alert, tenantId, channel, sender, requestId });
      const { kind, segments } = alert;
      told.push({ requestId, tenantId, messageId, kind, segments });
    }
    return told;
  });
  for (const text of queued) deps.events.emit("message_queued", text);
  return queued.length;
}
