import { Prisma, type Database, type Tx } from "@jobrun/db";
import type { Logger } from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { Events } from "../telemetry/events.ts";
import { localeOf } from "../texts/fill.ts";
import type { TimerHandlers, UrgentJobTimer } from "../timers/timers.ts";
import { reachedAt } from "./reached-at.ts";
import { OPERATOR_CHANNEL, operatorSenderOf } from "./sender-of.ts";
import { urgentJobText } from "./urgent-job.ts";

export interface EscalationDeps {
  db: Database;
  alerts: Pick<AlertService, "raiseIn" | "resolve">;
  events: Events;
  logger: Logger;
  /** Texts operators whose tenant has no number of its own for it */
  defaultSender: string | undefined;
  wakeOutbox: () => void;
}

/**
 * What happens while nobody answers an urgent job. Each step marks the job in the transaction that
 * does it, so a timer that fires twice, or in two processes, does it once.
 */
export function urgentJobHandlers(
  deps: EscalationDeps,
): Pick<TimerHandlers, "urgent_job_second_text" | "urgent_job_founder"> {
  return {
    urgent_job_second_text: (timer) => textAgain(deps, timer),
    urgent_job_founder: (timer) => settleFounderAlert(deps, timer),
  };
}

interface SilentJob {
  number: number;
  conversationId: string;
  words: string;
  place: string | null;
  time: string | null;
  phone: string | null;
  locale: string;
  operatorPhone: string;
  secondContactPhone: string | null;
  sender: string | null;
}

async function textAgain(deps: EscalationDeps, timer: UrgentJobTimer): Promise<void> {
  const { tenantId, jobId, requestId } = timer;
  const escalated = await deps.db.serviceTransaction(async (tx) => {
    const job = await markSecondText(tx, timer);
    if (job === undefined) return null;
    const sender = job.sender ?? deps.defaultSender;
    if (sender === undefined) {
      deps.logger.error("an urgent job has no number to text from", { requestId, tenantId });
      return { job, queued: [] };
    }
    return { job, queued: await queueTexts(tx, timer, { ...job, sender }) };
  });
  if (escalated === null) return;
  const { conversationId } = escalated.job;
  for (const text of escalated.queued)
    deps.events.emit("message_queued", { requestId, tenantId, ...text });
  deps.events.emit("urgent_job_escalated", { requestId, tenantId, conversationId, jobId });
  deps.wakeOutbox();
}

/** The customer's words are their newest ones since the job began: they may have said more by now. */
async function markSecondText(tx: Tx, { tenantId, jobId }: UrgentJobTimer) {
  const [job] = await tx.$queryRaw<SilentJob[]>`
    UPDATE "Job" j SET "secondTextAt" = now()
    FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" JOIN "Client" t ON t."id" = v."clientId"
    WHERE j."id" = ${jobId}::uuid AND j."clientId" = ${tenantId}::uuid AND v."id" = j."conversationId"
      AND j."secondTextAt" IS NULL AND j."answeredAt" IS NULL AND j."status" = 'URGENT'
    RETURNING j."number", v."id" AS "conversationId", j."location" AS "place", j."requestedTime" AS "time", c."phone",
      t."locale", t."operatorPhone", t."secondContactPhone", ${operatorSenderOf(Prisma.sql`v`)} AS "sender",
      COALESCE((SELECT string_agg(said."body", ' / ' ORDER BY said."position")
        FROM (SELECT m."body", m."position" FROM "Message" m
              WHERE m."conversationId" = v."id" AND m."direction" = 'INBOUND' AND m."body" <> ''
                AND m."createdAt" >= j."createdAt"
              ORDER BY m."position" DESC LIMIT 3) said), j."summary") AS "words"`;
  return job;
}

/** The operator gets it again; for the second contact it is the first they hear of it. */
async function queueTexts(
  tx: Tx,
  { tenantId, requestId }: UrgentJobTimer,
  job: SilentJob & { sender: string },
) {
  const locale = localeOf(job.locale);
  const people = [{ phone: job.operatorPhone, again: true }];
  if (job.secondContactPhone !== null && job.secondContactPhone !== job.operatorPhone)
    people.push({ phone: job.secondContactPhone, again: false });
  const queued = [];
  for (const { phone, again } of people) {
    const text = outboxText(
      "urgent_alert",
      urgentJobText(locale, { ...job, phone: reachedAt(job) }, again),
      phone,
    );
    const messageId = await enqueue(tx, {
      ...text,
      tenantId,
      channel: OPERATOR_CHANNEL,
      sender: job.sender,
      requestId,
    });
    queued.push({ messageId, kind: text.kind, segments: text.segments });
  }
  return queued;
}

const SUMMARIES = {
  URGENT: (number: number) => `Nobody answered urgent job ${number} of a tenant`,
  DECLINED: (number: number) => `Urgent job ${number} of a tenant was declined by its operator`,
};

/**
 * Makes the founder's alert fit the job: raised once while nobody has answered or when it was
 * declined, ended when somebody took it. Runs when the wait is over and after each answer.
 */
async function settleFounderAlert(deps: EscalationDeps, timer: UrgentJobTimer): Promise<void> {
  const { tenantId, jobId, requestId } = timer;
  const raised = await deps.db.serviceTransaction(async (tx) => {
    const [job] = await tx.$queryRaw<
      { number: number; status: keyof typeof SUMMARIES; conversationId: string }[]
    >`
      UPDATE "Job" SET "founderToldAt" = now()
      WHERE "id" = ${jobId}::uuid AND "clientId" = ${tenantId}::uuid AND "founderToldAt" IS NULL
        AND ("status" = 'DECLINED' OR ("status" = 'URGENT' AND "answeredAt" IS NULL))
      RETURNING "number", "status"::text AS "status", "conversationId"`;
    if (job === undefined) return null;
    await deps.alerts.raiseIn(tx, {
      type: "URGENT_JOB_UNANSWERED",
      resource: jobId,
      summary: SUMMARIES[job.status](job.number),
      requestId,
    });
    return job;
  });
  if (raised !== null) {
    const { conversationId, status } = raised;
    if (status === "URGENT")
      deps.events.emit("urgent_job_escalated", { requestId, tenantId, conversationId, jobId });
    return;
  }
  const [answered] = await deps.db.service.$queryRaw<unknown[]>`
    SELECT 1 FROM "Job" WHERE "id" = ${jobId}::uuid AND "clientId" = ${tenantId}::uuid
      AND "status" <> 'DECLINED' AND ("status" <> 'URGENT' OR "answeredAt" IS NOT NULL)`;
  if (answered !== undefined) await deps.alerts.resolve("URGENT_JOB_UNANSWERED", jobId);
}
