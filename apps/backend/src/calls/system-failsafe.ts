import { maskAddress } from "@jobrun/messaging";
import { remembers, type CallDeps, type ReportedCall } from "./call-deps.ts";
import { endOf, sendFailsafe, type FailsafeResult } from "./failsafe-text.ts";

/** What is known of a called number that is no tenant's. */
export interface SystemNumber {
  isKnown: boolean;
  /** It says that it is a tenant's, and has none */
  lacksTenant: boolean;
  /** The caller is one of our own numbers */
  callerIsOurs: boolean;
  /** The database did not say what the number is for */
  isUnknowable: boolean;
}

/**
 * A missed call to a number of no tenant, or of nobody knows whom: the caller is texted all the
 * same. No database: no row is read or written, no sign-up begun. The founder is told afterwards,
 * by an alert that waits in memory while no database takes it. Never throws.
 */
export async function takeBySystemFailsafe(
  deps: CallDeps,
  reported: ReportedCall,
  number: SystemNumber,
): Promise<FailsafeResult> {
  const { logger, metrics, alerts, recent } = deps;
  const { call, requestId } = reported;
  if (remembers(recent, "settled", call)) return "duplicate";
  const { isKnown } = number;
  const callStatus = endOf(call);
  const trace = { requestId, callStatus, isKnown, called: maskAddress(call.called) };
  logger.warn("SYSTEM NUMBER CALL DETECTED - ACTIVATING FAIL-SAFE", trace);
  logger.warn(`[SYSTEM FAILSAFE] ACTION REQUIRED: ${actionFor(number)}`, trace);
  metrics.voiceSystemFailsafeIntake.inc({ isKnown: String(isKnown), callStatus });

  const result = number.callerIsOurs
    ? ownNumber(deps, reported)
    : await sendFailsafe(deps, reported, {
        locale: "en",
        sender: deps.failsafeSender ?? call.called,
        tenantId: null,
        isKnown,
      });
  void alerts.raise({
    type: number.lacksTenant ? "INVARIANT_VIOLATION" : "SYSTEM_NUMBER_CALLED",
    // With no database every tenant's number looks like one of nobody: one incident for all of them.
    ...(!number.isUnknowable && { resource: call.called }),
    summary: `A call to ${maskAddress(call.called)} was taken by the fail-safe. ${actionFor(number)}`,
    requestId,
  });
  return result;
}

function ownNumber({ logger }: CallDeps, { requestId }: ReportedCall): FailsafeResult {
  logger.info("a missed call gets no text", { requestId, reason: "own_number" });
  return "not_texted";
}

function actionFor({ isUnknowable, lacksTenant }: SystemNumber): string {
  if (isUnknowable) return "The database did not say whose number it is: see to the database";
  if (lacksTenant)
    return "The number is OPERATIONAL without a tenant: assign it in TwilioNumberPool";
  return "Assign this number to a client in TwilioNumberPool";
}
