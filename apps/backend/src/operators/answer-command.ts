import { fill } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import type { CommandContext } from "./command-context.ts";
import { lockJob, onlyUrgentJob, type LockedJob } from "./find-job.ts";
import { acceptJob, closeJob, declineJob } from "./job-commands.ts";
import { listJobs } from "./list-jobs.ts";
import type { Command } from "./parse-command.ts";
import { releaseCustomer, replyToCustomer } from "./take-over.ts";

/**
 * Does what a command asks for, in the context's transaction.
 *
 * @returns what the operator is told
 */
export async function answerCommand(context: CommandContext, command: Command): Promise<string> {
  const { locale } = context;
  switch (command.kind) {
    case "yes":
    case "no": {
      const act = command.kind === "yes" ? acceptJob : declineJob;
      if (command.number !== null) return withJob(context, command.number, act);
      const urgent = await onlyUrgentJob(context.tx);
      if (urgent.kind === "one") return withJob(context, urgent.number, act);
      if (urgent.kind === "none") return operatorTexts.noUrgentJob[locale];
      const numbers = urgent.numbers.join(", ");
      return fill(operatorTexts.whichUrgentJob[locale], { numbers, number: urgent.numbers[0] });
    }
    case "done":
      return withJob(context, command.number, closeJob);
    case "reply":
      return withJob(context, command.number, (_, job) =>
        replyToCustomer(context, job, command.words),
      );
    case "resume":
      if (command.number !== null) return withJob(context, command.number, releaseCustomer);
      await setPaused(context, false);
      return operatorTexts.resumed[locale];
    case "pause":
      await setPaused(context, true);
      return fill(operatorTexts.paused[locale], { texted: await dialled(context) });
    case "jobs":
      return listJobs(context);
    case "help":
      return operatorTexts.help[locale];
  }
}

async function withJob(
  context: CommandContext,
  number: number,
  act: (context: CommandContext, job: LockedJob) => Promise<string>,
): Promise<string> {
  const job = await lockJob(context.tx, number);
  if (job === null) return fill(operatorTexts.noSuchJob[context.locale], { number });
  return act(context, job);
}

async function setPaused({ tx, tenant }: CommandContext, paused: boolean): Promise<void> {
  await tx.$executeRaw`UPDATE "Client" SET "outboundPaused" = ${paused} WHERE "id" = ${tenant.id}::uuid`;
}

/** The number that was texted, as a person dials it; when it is not the tenant's, its oldest one. */
async function dialled({ tx, texted }: CommandContext): Promise<string> {
  const [number] = await tx.$queryRaw<{ phoneNumber: string }[]>`
    SELECT ours."phoneNumber" FROM (
      SELECT "address", "phoneNumber", "createdAt" FROM "ChannelNumber"
      UNION ALL SELECT "phoneNumber", "phoneNumber", "createdAt" FROM "TwilioNumberPool"
    ) ours ORDER BY ours."address" = ${texted} DESC, ours."createdAt" LIMIT 1`;
  return number?.phoneNumber ?? texted;
}
