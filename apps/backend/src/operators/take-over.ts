import { fill } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import { tellCustomer, type CommandContext } from "./command-context.ts";
import type { LockedJob } from "./find-job.ts";
import { answered } from "./job-commands.ts";

const TAKE_OVER_HOURS = 12;
/** What is quoted of a text that was cut, in characters. */
const QUOTED_END = 30;

/**
 * REPLY: the operator's own words go to the job's customer, also while answers are paused, since a
 * person asked for it. The assistant then stays out. It answers an urgent job, without taking it.
 *
 * @param words as the operator wrote them
 */
export async function replyToCustomer(
  context: CommandContext,
  job: LockedJob,
  words: string,
): Promise<string> {
  const { locale, tx } = context;
  if (words === "") return fill(operatorTexts.replyEmpty[locale], job);
  if (job.optedOut) return fill(operatorTexts.replyOptedOut[locale], job);
  const sent = await tellCustomer(context, job, "reply", words);
  await tx.$executeRaw`
    UPDATE "Conversation" SET "humanUntil" = now() + make_interval(hours => ${TAKE_OVER_HOURS})
    WHERE "id" = ${job.conversationId}::uuid`;
  await tx.$executeRaw`
    UPDATE "Job" SET "answeredAt" = COALESCE("answeredAt", now()) WHERE "id" = ${job.id}::uuid AND "status" = 'URGENT'`;
  if (job.status === "URGENT") await answered(context, job, false);
  if (!wasCut(words, sent)) return fill(operatorTexts.replySent[locale], job);
  const end = sent
    .replace(/\.\.\.$/, "")
    .slice(-QUOTED_END)
    .trim();
  return fill(operatorTexts.replyCut[locale], { ...job, end });
}

/** RESUME with a number: the assistant answers this customer again. */
export async function releaseCustomer(
  { tx, locale }: CommandContext,
  job: LockedJob,
): Promise<string> {
  await tx.$executeRaw`UPDATE "Conversation" SET "humanUntil" = NULL WHERE "id" = ${job.conversationId}::uuid`;
  return fill(operatorTexts.assistantResumed[locale], job);
}

/** Only a cut text ends in dots that its author did not write. */
function wasCut(words: string, sent: string): boolean {
  return sent.endsWith("...") && !/(?:\.\.\.|…)\s*$/.test(words);
}
