import type { Tx } from "@jobrun/db";
import { prepareSmsText } from "@jobrun/messaging";
import { fill, type Locale } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import type { Timers, UrgentJobTimer } from "../timers/timers.ts";
import { clip, longestFitting } from "./fit-text.ts";

export interface UrgentJobWords {
  number: number;
  /** What the customer wrote. */
  words: string;
  place: string | null;
  time: string | null;
  /** The customer's, E.164 */
  phone: string;
}

// What is kept of place and time, in characters: the first pair that leaves room for the words is used.
const BUDGETS = [
  { place: 120, time: 120 },
  { place: 60, time: 40 },
  { place: 25, time: 20 },
] as const;
const WORDS_WORTH_READING = 60;

/**
 * What an operator is told about an urgent job: within 3 segments however much the customer wrote,
 * and always with how to answer it.
 *
 * @param again the operator was told before and did not answer
 */
export function urgentJobText(locale: Locale, job: UrgentJobWords, again = false): string {
  const words = clip(prepareSmsText(job.words).text, Infinity);
  let wording = "";
  for (const budget of BUDGETS) {
    const details = detailsOf(locale, job, budget);
    const build = (count: number) =>
      fill(operatorTexts[again ? "urgentJobAgain" : "urgentJob"][locale], {
        number: job.number,
        phone: job.phone,
        words: clip(words, count),
        details,
      });
    const least = Math.min(words.length, WORDS_WORTH_READING);
    wording = longestFitting(words.length, build);
    if (wording.length >= build(least).length) break;
  }
  return wording;
}

function detailsOf(
  locale: Locale,
  job: UrgentJobWords,
  budget: { place: number; time: number },
): string {
  const part = (text: string | null, most: number) =>
    text === null ? "" : clip(prepareSmsText(text).text, most);
  const place = part(job.place, budget.place);
  const time = part(job.time, budget.time);
  return (
    (place === "" ? "" : fill(operatorTexts.where[locale], { place })) +
    (time === "" ? "" : fill(operatorTexts.when[locale], { time }))
  );
}

/** Sets the timers of a job that becomes urgent, in the transaction that makes it so. Waits in milliseconds. */
export async function scheduleUrgentTimers(
  tx: Tx,
  timers: Timers,
  job: UrgentJobTimer,
  { secondTextMs, founderMs }: { secondTextMs: number; founderMs: number },
): Promise<void> {
  await timers.schedule(tx, "urgent_job_second_text", job, secondTextMs);
  await timers.schedule(tx, "urgent_job_founder", job, founderMs);
}
