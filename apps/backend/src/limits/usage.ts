import { newId, Prisma } from "@jobrun/db";
import type { Decision } from "../conversations/decide.ts";
import type { View } from "../conversations/prepare.ts";
import type { Limits } from "./limits-of.ts";
import { UNLIMITED } from "./plans.ts";
import { monthOf } from "./quota.ts";

/** What a turn used. */
export interface Usage {
  /** In the tenant's time zone, such as 2026-11-21 */
  day: string;
  messages: 0 | 1;
  tokens: number;
  /** How many answers the month may have; null when nothing is counted against a limit */
  limit: number | null;
}

/** What a turn changes of its conversation's block; null leaves it as it is. */
export interface Block {
  blocked: boolean | null;
  period: string | null;
  terms: string | null;
  /** The day on which the customer is told, in the tenant's time zone */
  toldOn: string | null;
}

export interface LimitsChange {
  /** Null: nothing was used */
  usage: Usage | null;
  block: Block;
}

const asItIs: Block = { blocked: null, period: null, terms: null, toldOn: null };

/**
 * Pure: what a turn writes about limits. An answer of the assistant counts, whether it is sent or not.
 *
 * @param tokens what the model took for this turn, in and out, answers that were refused included
 */
export function limitsChange(
  { quota: { day, terms: named } }: View,
  decision: Decision,
  { terms, quota }: Pick<Limits, "terms" | "quota">,
  tokens: number,
): LimitsChange {
  const messages = decision.kind === "assistant" && decision.counted ? 1 : 0;
  // What was spent without an answer is no more than recorded.
  const isLimited = messages === 1 && terms.monthlyMessages !== UNLIMITED;
  const limit = isLimited ? terms.monthlyMessages : null;
  const usage = messages + tokens > 0 ? ({ day, messages, tokens, limit } as const) : null;
  if (decision.kind === "fixed" && decision.refusal !== null) {
    const { kind, period } = decision.refusal;
    const toldOn = decision.reply === null ? null : day;
    const first = { blocked: true, period, terms: named, toldOn };
    return { usage, block: kind === "exceeded" ? first : { ...asItIs, toldOn } };
  }
  const passes = messages === 1 && quota.kind === "allowed";
  return { usage, block: passes ? { ...asItIs, blocked: false } : asItIs };
}

/** SQL: the assignments of a conversation's row, each with a comma before it. */
export function blockAssignments({ blocked, period, terms, toldOn }: Block = asItIs): Prisma.Sql {
  return Prisma.sql`, "quotaBlocked" = COALESCE(${blocked}::boolean, "quotaBlocked"),
    "quotaPeriod" = COALESCE(${period}::text, "quotaPeriod"), "quotaTerms" = COALESCE(${terms}::text, "quotaTerms"),
    "quotaToldOn" = COALESCE(${toldOn}::text, "quotaToldOn")`;
}

const nothing = { steps: Prisma.empty, used: Prisma.sql`NULL::int` };

/**
 * SQL that counts what a turn used: steps behind `turn` and `stored` of the writing statement.
 *
 * The row of the month is locked after the conversation and after the tenant's job number. What the
 * transaction writes beside and after it (the job, media, a timer) belongs to this conversation, and
 * whoever else locks that counts nothing: so turns that wait for each other here never do so in a circle.
 *
 * Answers are counted under the condition that one is left. Tokens have none: they are spent by now, and
 * to throw away the answer they bought would save nothing.
 *
 * With a limit a tenant has one row a month. It is the place where all of the tenant's commits wait for
 * each other, and where the last answer is given once. Without a limit nobody shall wait: a commit takes
 * a row of the month that no other holds, and adds one when there is none.
 *
 * @param rows how many messages `stored` must have
 * @returns `steps`, each with a comma before it, and `used`: an expression that is null when the limit
 *   was reached meanwhile
 */
export function countUsage(
  usage: Usage | null,
  rows: number,
): { steps: Prisma.Sql; used: Prisma.Sql } {
  if (usage === null) return nothing;
  const { day, messages, tokens, limit } = usage;
  const month = monthOf(day);
  const ofMonth = Prisma.sql`"clientId" = (SELECT "clientId" FROM turn) AND left("period", 7) = ${month}`;
  const add = Prisma.sql`"messages" = u."messages" + EXCLUDED."messages", "tokens" = u."tokens" + EXCLUDED."tokens",
    "day" = GREATEST(u."day", EXCLUDED."day"), "dayTokens" = EXCLUDED."dayTokens"
      + CASE WHEN u."day" >= EXCLUDED."day" THEN u."dayTokens" ELSE 0 END`;
  const values = (period: Prisma.Sql) => Prisma.sql`
    SELECT turn."clientId", ${period}, ${messages}::int, ${tokens}::bigint, ${day}, ${tokens}::bigint
    FROM turn WHERE (SELECT count(*) FROM stored) = ${rows}`;
  const insert = Prisma.sql`INSERT INTO "Usage" AS u ("clientId", "period", "messages", "tokens", "day", "dayTokens")`;
  if (limit === null)
    return {
      steps: Prisma.sql`, free AS (
        SELECT "period" FROM "Usage" WHERE ${ofMonth} ORDER BY "period" LIMIT 1 FOR UPDATE SKIP LOCKED
      ), used AS (
        ${insert} ${values(Prisma.sql`COALESCE((SELECT "period" FROM free),
          CASE WHEN EXISTS (SELECT 1 FROM "Usage" WHERE ${ofMonth}) THEN ${`${month}#${newId()}`} ELSE ${month} END)`)}
        ON CONFLICT ("clientId", "period") DO UPDATE SET ${add} RETURNING 1
      )`,
      used: Prisma.sql`(SELECT count(*) FROM used)::int`,
    };
  // Rows of a time without limit count too.
  const other = Prisma.sql`(SELECT COALESCE(sum("messages"), 0) FROM "Usage" WHERE ${ofMonth} AND "period" <> ${month})`;
  return {
    steps: Prisma.sql`, used AS (
      ${insert} ${values(Prisma.sql`${month}`)} AND ${other} < ${limit}
      ON CONFLICT ("clientId", "period") DO UPDATE SET ${add}
        WHERE u."messages" + ${other} < ${limit}
      RETURNING u."messages" + ${other} AS "messages"
    )`,
    used: Prisma.sql`(SELECT "messages" FROM used)::int`,
  };
}

/** What is left of a month's quota is worth a look from here on. */
const NEAR = 0.8;

/**
 * Whether this answer is the one that passes the mark.
 *
 * @param answers of the month, this one included; null when nothing was counted
 */
export function isNearlyUsedUp(limit: number | null, answers: number | null): boolean {
  if (limit === null || answers === null) return false;
  return answers >= limit * NEAR && answers - 1 < limit * NEAR;
}
