import { Prisma, type Tx } from "@jobrun/db";
import type { OnboardingDeps } from "./handle-onboarding-text.ts";
import { lockSignUp, saveSignUp, type SignUp } from "./sign-up.ts";
import type { State } from "./steps.ts";
import { announceTold, tell } from "./tell.ts";
import { sentences } from "./wording.ts";

const WAITS_FOR_CALL: State = "TEST_CALL";

type TestCallDeps = Pick<OnboardingDeps, "alerts" | "events" | "wakeOutbox">;

/**
 * Ends the sign-up of the tenant whose number got this missed call, if the call is what it waits
 * for, and tells the owner that they are live. Part of the caller's transaction, the tenant's or one
 * above tenants.
 *
 * @param call `number`: the one that was called, E.164
 * @returns what to do after the commit; null when no sign-up waits for this call
 */
export async function completeTestCall(
  deps: TestCallDeps,
  tx: Tx,
  call: { number: string; requestId: string },
): Promise<(() => void) | null> {
  const waiting = await lockSignUp(
    tx,
    Prisma.sql`o."state" = ${WAITS_FOR_CALL} AND o."clientId" =
      (SELECT n."clientId" FROM "TwilioNumberPool" n WHERE n."phoneNumber" = ${call.number})`,
  );
  if (waiting === null) return null;
  const signUp: SignUp = { ...waiting, number: call.number, state: "COMPLETE" };
  await saveSignUp(tx, signUp);
  const told = signUp.stopped
    ? null
    : await tell(tx, signUp, sentences(signUp, ["live"]), call.requestId);
  return () => {
    if (told !== null) announceTold(deps, told, call.requestId);
    if (waiting.founderTold) void deps.alerts.resolve("ONBOARDING_STUCK", waiting.id);
  };
}
