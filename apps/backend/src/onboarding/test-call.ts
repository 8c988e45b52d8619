import { Prisma, type Tx } from "@jobrun/db";
import { lockSignUp, saveSignUp, type SignUp } from "./sign-up.ts";
import type { State } from "./steps.ts";
import { tell } from "./tell.ts";
import { sentences } from "./wording.ts";

const WAITS_FOR_CALL: State = "TEST_CALL";

/**
 * Ends the sign-up of the tenant whose number got this missed call, if the call is what it waits
 * for, and tells the owner that they are live. Part of the caller's transaction, the tenant's or one
 * above tenants; the caller wakes the outbox after its commit.
 *
 * @param call `number`: the one that was called, E.164
 * @returns whether it did: then the call is no customer's
 */
export async function completeTestCall(
  tx: Tx,
  call: { number: string; requestId: string },
): Promise<boolean> {
  const waiting = await lockSignUp(
    tx,
    Prisma.sql`o."state" = ${WAITS_FOR_CALL} AND o."clientId" =
      (SELECT n."clientId" FROM "TwilioNumberPool" n WHERE n."phoneNumber" = ${call.number})`,
  );
  if (waiting === null) return false;
  const signUp: SignUp = { ...waiting, number: call.number, state: "COMPLETE" };
  await saveSignUp(tx, signUp);
  if (!signUp.stopped) await tell(tx, signUp, sentences(signUp, ["live"]), call.requestId);
  return true;
}
