import { newId, Prisma } from "@jobrun/db";
import type { OnboardingTimer, TimerHandlers } from "../timers/timers.ts";
import type { OnboardingDeps } from "./handle-onboarding-text.ts";
import { lockSignUp } from "./sign-up.ts";
import { announceTold, tell } from "./tell.ts";
import { wording } from "./wording.ts";

/**
 * What happens when somebody stays in one state: after 2 h they are reminded, after 24 h the founder
 * is told. Each once per stay, however often its timer fires; both are void once the state changed.
 */
export function onboardingTimers(
  deps: OnboardingDeps,
): Pick<TimerHandlers, "onboarding_reminder" | "onboarding_founder"> {
  return {
    onboarding_reminder: async (timer) => {
      const requestId = newId();
      const told = await deps.db.serviceTransaction(async (tx) => {
        const signUp = await lockSignUp(
          tx,
          Prisma.sql`${stillIn(timer)} AND o."remindedAt" IS NULL`,
        );
        if (signUp === null || signUp.stopped) return null;
        await tx.$executeRaw`UPDATE "OnboardingState" SET "remindedAt" = now() WHERE "id" = ${signUp.id}::uuid`;
        return tell(tx, signUp, wording(signUp, ["reminder"]), requestId);
      });
      if (told !== null) announceTold(deps, told, requestId);
    },
    onboarding_founder: async (timer) => {
      await deps.db.serviceTransaction(async (tx) => {
        const signUp = await lockSignUp(
          tx,
          Prisma.sql`${stillIn(timer)} AND o."founderToldAt" IS NULL`,
        );
        if (signUp === null) return;
        await tx.$executeRaw`UPDATE "OnboardingState" SET "founderToldAt" = now() WHERE "id" = ${signUp.id}::uuid`;
        await deps.alerts.raiseIn(tx, {
          type: "ONBOARDING_STUCK",
          resource: signUp.id,
          summary: `A sign-up by text has been at ${signUp.state} for a day`,
        });
      });
    },
  };
}

function stillIn({ phone, stateSince }: OnboardingTimer): Prisma.Sql {
  return Prisma.sql`o."phone" = ${phone} AND o."stateSince" = ${stateSince}::timestamptz AND o."state" <> 'COMPLETE'`;
}
