import { newId, Prisma, type Tx } from "@jobrun/db";
import { z } from "zod";
import type { Timers } from "../timers/timers.ts";
import type { Locale } from "../texts/fill.ts";
import { homeCountry } from "./home-country.ts";
import type { Answers } from "./read-answers.ts";
import { steps, type State } from "./steps.ts";

/** Where a person stands. A row of "OnboardingState", with the number it led to. */
export interface SignUp {
  id: string;
  /** Who signs up, E.164 */
  phone: string;
  /** The ONBOARDING number they text, E.164 */
  texted: string;
  locale: Locale;
  state: State;
  answers: Answers;
  /** They want no texts until they text START */
  stopped: boolean;
  /** From their confirmation on */
  tenantId: string | null;
  /** From the allocation on, E.164 */
  number: string | null;
  founderTold: boolean;
  /** This is the first that is heard of them */
  isNew: boolean;
}

const HOUR_MS = 60 * 60_000;
const REMINDER_AFTER_MS = 2 * HOUR_MS;
const FOUNDER_AFTER_MS = 24 * HOUR_MS;

const storedAnswers = z.object({
  trade: z.string().optional(),
  place: z.string().optional(),
  businessName: z.string().optional(),
  ownerName: z.string().optional(),
  alertPhone: z.string().optional(),
  phoneType: z.enum(["iphone", "android", "landline"]).optional(),
  stopped: z.boolean().default(false),
});

/** The person's sign-up, begun if it is not; locked, so that their texts are taken one after the other. */
export async function beginSignUp(tx: Tx, phone: string, texted: string): Promise<SignUp> {
  const begun = await tx.$executeRaw`
    INSERT INTO "OnboardingState" ("id", "phone", "texted", "locale", "state")
    VALUES (${newId()}::uuid, ${phone}, ${texted}, ${homeCountry(phone).locale}, ${"TRADE_AND_PLACE" satisfies State})
    ON CONFLICT DO NOTHING`;
  const signUp = await lockSignUp(tx, Prisma.sql`o."phone" = ${phone}`);
  if (signUp === null) throw new Error("a sign-up vanished");
  return { ...signUp, texted, isNew: begun === 1 };
}

/**
 * Locks the first sign-up that fits and that nobody else has locked, or waits for it.
 *
 * @param fits a condition on "OnboardingState" o
 * @throws when the row holds a state that this version does not know
 */
export async function lockSignUp(
  tx: Tx,
  fits: Prisma.Sql,
  wait: "wait" | "skip" = "wait",
): Promise<SignUp | null> {
  const [row] = await tx.$queryRaw<
    (Omit<SignUp, "state" | "answers" | "stopped" | "isNew" | "number"> & {
      state: string;
      answers: unknown;
    })[]
  >`
    SELECT o."id"::text, o."phone", o."texted", o."locale", o."state", o."answers", o."clientId"::text AS "tenantId",
      o."founderToldAt" IS NOT NULL AS "founderTold"
    FROM "OnboardingState" o WHERE ${fits}
    ORDER BY o."stateSince" LIMIT 1 FOR UPDATE OF o ${wait === "skip" ? Prisma.sql`SKIP LOCKED` : Prisma.empty}`;
  if (row === undefined) return null;
  const { state } = row;
  if (!isState(state)) throw new Error("a sign-up is in a state that this version does not know");
  const { stopped, ...answers } = storedAnswers.parse(row.answers);
  return {
    ...row,
    number: await numberOf(tx, row.tenantId),
    state,
    answers,
    stopped,
    isNew: false,
  };
}

/** A statement of its own, after the lock: only so it sees the number that was given while this one waited. */
async function numberOf(tx: Tx, tenantId: string | null): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ phoneNumber: string }[]>`
    SELECT "phoneNumber" FROM "TwilioNumberPool" WHERE "clientId" = ${tenantId}::uuid
    ORDER BY "createdAt", "phoneNumber" LIMIT 1`;
  return row?.phoneNumber ?? null;
}

/** Writes what changed. In a new state, what was said about the old one counts no more. */
export async function saveSignUp(tx: Tx, signUp: SignUp): Promise<void> {
  const { id, texted, state, answers, stopped, tenantId } = signUp;
  await tx.$executeRaw`
    UPDATE "OnboardingState" SET "texted" = ${texted}, "clientId" = ${tenantId}::uuid,
      "answers" = ${JSON.stringify({ ...answers, stopped })}::jsonb, "revision" = "revision" + 1, "updatedAt" = now(),
      "state" = ${state},
      "stateSince" = CASE WHEN "state" = ${state} THEN "stateSince" ELSE clock_timestamp() END,
      "remindedAt" = CASE WHEN "state" = ${state} THEN "remindedAt" END,
      "founderToldAt" = CASE WHEN "state" = ${state} THEN "founderToldAt" END
    WHERE "id" = ${id}::uuid`;
}

/** Sets the timers of the state that a sign-up has just come to: it names that state's beginning. */
export async function watchState(tx: Tx, timers: Timers, signUp: SignUp): Promise<void> {
  const { id, phone, state } = signUp;
  if (state === "COMPLETE") return;
  const [row] = await tx.$queryRaw<{ stateSince: Date }[]>`
    SELECT "stateSince" FROM "OnboardingState" WHERE "id" = ${id}::uuid`;
  if (row === undefined) throw new Error("a sign-up vanished");
  const data = { phone, stateSince: row.stateSince.toISOString() };
  if (state !== "WAITING_FOR_NUMBER")
    await timers.schedule(tx, "onboarding_reminder", data, REMINDER_AFTER_MS);
  await timers.schedule(tx, "onboarding_founder", data, FOUNDER_AFTER_MS);
}

function isState(state: string): state is State {
  return Object.hasOwn(steps, state);
}
