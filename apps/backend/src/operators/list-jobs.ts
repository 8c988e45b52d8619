import { prepareSmsText } from "@jobrun/messaging";
import { reachedAt } from "../jobs/reached-at.ts";
import { clip, longestFitting } from "../jobs/fit-text.ts";
import { fill, type Locale } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import type { CommandContext } from "./command-context.ts";

interface OpenJob {
  number: number;
  status: string;
  urgency: string;
  summary: string;
  location: string | null;
  phone: string | null;
}

/** More never fit into three segments; the rest is counted. */
const MOST_LISTED = 20;
const SUMMARY_LENGTH = 40;
const PLACE_LENGTH = 30;

/** JOBS: what is open, the urgent first, as much as three segments hold and how many more there are. */
export async function listJobs({ tx, locale }: CommandContext): Promise<string> {
  const jobs = await tx.$queryRaw<(OpenJob & { total: number })[]>`
    SELECT j."number", j."status"::text AS "status", j."urgency", j."summary", j."location", c."phone",
      (count(*) OVER ())::int AS "total"
    FROM "Job" j JOIN "Conversation" v ON v."id" = j."conversationId" JOIN "Customer" c ON c."id" = v."customerId"
    WHERE j."status" NOT IN ('DECLINED', 'DONE')
    ORDER BY j."status" = 'URGENT' DESC, j."status" <> 'ACCEPTED' DESC, j."urgency" = 'today' DESC, j."number"
    LIMIT ${MOST_LISTED}`;
  const total = jobs[0]?.total ?? 0;
  if (total === 0) return operatorTexts.noJobs[locale];
  const lines = jobs.map((job) => prepareSmsText(lineOf(job, locale)).text);
  return longestFitting(lines.length, (count) => {
    const shown = [operatorTexts.openJobs[locale], ...lines.slice(0, count)];
    if (count < total) shown.push(fill(operatorTexts.andMore[locale], { count: total - count }));
    return shown.join("\n");
  });
}

function lineOf(job: OpenJob, locale: Locale): string {
  const what = [
    `${markOf(job, locale)}${clip(job.summary, SUMMARY_LENGTH)}`,
    ...(job.location === null ? [] : [clip(job.location, PLACE_LENGTH)]),
    reachedAt({ phone: job.phone, locale }),
  ];
  return `${job.number} ${what.join(", ")}`;
}

function markOf({ status, urgency }: OpenJob, locale: Locale): string {
  if (status === "URGENT") return operatorTexts.jobUrgent[locale];
  if (status === "ACCEPTED") return operatorTexts.jobAccepted[locale];
  return urgency === "today" ? operatorTexts.jobToday[locale] : "";
}
