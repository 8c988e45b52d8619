import { fill } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import { tellCustomer, type CommandContext } from "./command-context.ts";
import type { LockedJob } from "./find-job.ts";

/** YES: the job is theirs, and the customer is told who comes back to them. */
export async function acceptJob(context: CommandContext, job: LockedJob): Promise<string> {
  const refusal = alreadyAnswered(context, job);
  if (refusal !== null) return refusal;
  const { locale, tenant, byOwner } = context;
  await settle(context, job, "ACCEPTED");
  if (job.optedOut) return fill(operatorTexts.acceptedUntold[locale], job);
  const notice =
    byOwner && tenant.ownerName !== null
      ? fill(operatorTexts.customerAcceptedByOwner[locale], {
          owner: tenant.ownerName,
          business: tenant.name,
        })
      : fill(operatorTexts.customerAccepted[locale], { business: tenant.name });
  await tellCustomer(context, job, "customer_notice", notice);
  return fill(operatorTexts.accepted[locale], job);
}

/** NO: the customer is told politely; of an urgent job the founder hears as well. */
export async function declineJob(context: CommandContext, job: LockedJob): Promise<string> {
  const refusal = alreadyAnswered(context, job);
  if (refusal !== null) return refusal;
  const { locale, tenant } = context;
  await settle(context, job, "DECLINED");
  if (job.optedOut) return fill(operatorTexts.declinedUntold[locale], job);
  const notice = fill(operatorTexts.customerDeclined[locale], { business: tenant.name });
  await tellCustomer(context, job, "customer_notice", notice);
  return fill(operatorTexts.declined[locale], job);
}

/** DONE: closed, whatever it was before. */
export async function closeJob(context: CommandContext, job: LockedJob): Promise<string> {
  const { locale } = context;
  if (job.status === "DONE") return fill(operatorTexts.alreadyDone[locale], job);
  await settle(context, job, "DONE");
  return fill(operatorTexts.closed[locale], job);
}

function alreadyAnswered({ locale }: CommandContext, job: LockedJob): string | null {
  switch (job.status) {
    case "ACCEPTED":
      return fill(operatorTexts.alreadyAccepted[locale], job);
    case "DECLINED":
      return fill(operatorTexts.alreadyDeclined[locale], job);
    case "DONE":
      return fill(operatorTexts.alreadyDone[locale], job);
    case "NEW":
    case "NEEDS_INFO":
    case "READY":
    case "URGENT":
      return null;
  }
}

async function settle(
  context: CommandContext,
  job: LockedJob,
  status: "ACCEPTED" | "DECLINED" | "DONE",
): Promise<void> {
  const declinesUrgent = status === "DECLINED" && job.status === "URGENT";
  // That nobody answered is old news once somebody declined: the founder hears of that as well.
  await context.tx.$executeRaw`
    UPDATE "Job" SET "status" = ${status}::"JobStatus", "answeredAt" = COALESCE("answeredAt", now()), "updatedAt" = now(),
      "founderToldAt" = CASE WHEN ${declinesUrgent} THEN NULL ELSE "founderToldAt" END
    WHERE "id" = ${job.id}::uuid`;
  const { id: jobId, conversationId, urgency } = job;
  context.effects.changed.push({ jobId, conversationId, status, urgency });
  await answered(context, job, declinesUrgent);
}

/** An urgent job was answered: its founder's alert is raised or ended, as a timer so that it commits with the answer. */
export async function answered(
  { tx, timers, tenant, requestId, effects }: CommandContext,
  job: LockedJob,
  declined: boolean,
): Promise<void> {
  const { id: jobId, conversationId } = job;
  if (job.status === "URGENT" && !job.answered)
    effects.acknowledged.push({ jobId, conversationId });
  if (declined || job.founderTold)
    await timers.schedule(tx, "urgent_job_founder", { tenantId: tenant.id, jobId, requestId }, 0);
}
