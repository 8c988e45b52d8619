import { newId, Prisma } from "@jobrun/db";
import { allocateNumber } from "../numbers/allocate.ts";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import type { OnboardingDeps } from "./handle-onboarding-text.ts";
import { lockSignUp, saveSignUp, watchState } from "./sign-up.ts";
import { steps, type State } from "./steps.ts";
import { announceTold, tell } from "./tell.ts";
import { wording } from "./wording.ts";

const POLL_MS = 2000;
const WAITING: State = "WAITING_FOR_NUMBER";

/** Goes on with the sign-ups that wait for a number, oldest first, as soon as one is available. */
export function waitingSignUps(deps: OnboardingDeps): PollLoop {
  const failure = "waiting sign-ups could not be looked at; trying again";
  const outage = new OutageLog(deps.logger, "waiting sign-ups", failure);
  return new PollLoop(
    () =>
      outage.watch(async () => {
        while (await goOnWithNext(deps));
      }),
    POLL_MS,
  );
}

/** @returns whether somebody waited and a number was available */
async function goOnWithNext(deps: OnboardingDeps): Promise<boolean> {
  const requestId = newId();
  const given = await deps.db.serviceTransaction(async (tx) => {
    // Who wants no texts would not hear of their number: it is better given to the next.
    const waiting = await lockSignUp(
      tx,
      Prisma.sql`o."state" = ${WAITING} AND o."answers" ->> 'stopped' IS DISTINCT FROM 'true'`,
      "skip",
    );
    if (waiting === null || waiting.tenantId === null) return null;
    const number = await allocateNumber(tx, waiting.tenantId, deps.excluded);
    if (number === null) return null;
    const signUp = { ...waiting, number, state: steps[WAITING].next };
    await saveSignUp(tx, signUp);
    await watchState(tx, deps.timers, signUp);
    return {
      told: await tell(tx, signUp, wording(signUp, ["numberReady"]), requestId),
      wasStuck: waiting.founderTold ? signUp.id : null,
    };
  });
  if (given === null) return false;
  announceTold(deps, given.told, requestId);
  if (given.wasStuck !== null) void deps.alerts.resolve("ONBOARDING_STUCK", given.wasStuck);
  return true;
}
