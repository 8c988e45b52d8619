import { remember, remembers, type CallDeps, type ReportedCall } from "./call-deps.ts";
import { endOf, sendFailsafe, wasTextedByFailsafe } from "./failsafe-text.ts";
import { isMissed, isOver } from "./is-missed.ts";
import { recordMissedCall, type RecordedCall, type TenantCall } from "./record-missed-call.ts";
import { resolveCallee, type Callee } from "./resolve-callee.ts";
import { takeBySystemFailsafe } from "./system-failsafe.ts";

/**
 * What a report about a call came to. `not_missed`: goes on, or a person spoke to the caller.
 * `lost`: the caller could not be texted, and a repetition of the report may do it.
 */
export type CallOutcome =
  | "not_missed"
  | "duplicate"
  | "recorded"
  | "sent"
  | "not_texted"
  | "onboarding"
  | "lost";

/** The called number is one of nobody, as far as could be found out. */
type SystemCallee = Callee & { role: "SYSTEM" };

/** What the called number is for, or that the database does not say. */
export type FoundCallee =
  | Exclude<Callee, SystemCallee>
  | (SystemCallee & { isUnknowable: boolean });

/** Does what the report of a call asks for, by what the called number is for. Never throws. */
export async function handleCallReport(
  deps: CallDeps,
  reported: ReportedCall,
): Promise<CallOutcome> {
  if (!isOver(reported.call)) return "not_missed";
  return handleEndedCall(deps, reported, await findCallee(deps, reported));
}

/** As `handleCallReport`, of a call that has ended to a number that is looked up already. */
export async function handleEndedCall(
  deps: CallDeps,
  reported: ReportedCall,
  callee: FoundCallee,
): Promise<CallOutcome> {
  const outcome = await takeEndedCall(deps, reported, callee);
  if (outcome === "duplicate") {
    const { call, requestId } = reported;
    deps.metrics.duplicates.inc();
    deps.events.emit("duplicate_message_dropped", { requestId, providerMessageId: call.rootSid });
  }
  return outcome;
}

async function takeEndedCall(
  deps: CallDeps,
  reported: ReportedCall,
  callee: FoundCallee,
): Promise<CallOutcome> {
  const { call } = reported;
  const wasSpokenTo = remembers(deps.recent, "spokenTo", call);
  switch (callee.role) {
    case "OPERATIONAL": {
      if (!isMissed(call, callee.callHandling, wasSpokenTo)) return "not_missed";
      const wasTexted = wasTextedByFailsafe(deps, call, call.called);
      return takeForTenant(deps, { ...reported, ...callee, wasTexted });
    }
    case "ONBOARDING":
      return "onboarding";
    case "SYSTEM":
      // A leg to the operator's phone was called by us; the caller's own leg is reported as well.
      if (call.isOutboundLeg || !isMissed(call, "NOTICE", wasSpokenTo)) return "not_missed";
      return takeBySystemFailsafe(deps, reported, callee);
  }
}

/** As `resolveCallee`, but a database that does not answer makes the number one of nobody. */
export async function findCallee(
  { db, logger, alerts }: CallDeps,
  { call, requestId }: ReportedCall,
): Promise<FoundCallee> {
  try {
    const callee = await resolveCallee(db, call.called, call.caller.address);
    return callee.role === "SYSTEM" ? { ...callee, isUnknowable: false } : callee;
  } catch (error) {
    logger.error("the database did not say what a called number is for", { requestId, error });
    alerts.recordTransactionFailure();
    return {
      role: "SYSTEM",
      isKnown: false,
      lacksTenant: false,
      callerIsOurs: false,
      isUnknowable: true,
    };
  }
}

async function takeForTenant(deps: CallDeps, missed: TenantCall): Promise<CallOutcome> {
  let recorded: RecordedCall;
  try {
    recorded = await recordMissedCall(deps, missed);
  } catch (error) {
    return answerWithoutDatabase(deps, missed, error);
  }
  if (recorded.kind === "recorded") announce(deps, missed, recorded);
  return recorded.kind;
}

/** Nothing is written; the caller is texted all the same, from the tenant's number and in its language. */
async function answerWithoutDatabase(
  deps: CallDeps,
  missed: TenantCall,
  error: unknown,
): Promise<CallOutcome> {
  const { call, requestId, tenant, callerIsOurs } = missed;
  const trace = { requestId, tenantId: tenant.id, providerMessageId: call.rootSid };
  deps.metrics.transactionsFailed.inc();
  deps.alerts.recordTransactionFailure();
  const errorClass = error instanceof Error ? error.name : "unknown";
  deps.events.emit("transaction_failed", { ...trace, errorClass });
  deps.logger.error("a missed call could not be recorded; the fail-safe answers", {
    requestId,
    error,
  });
  if (callerIsOurs) {
    deps.logger.info("a missed call gets no text", { ...trace, reason: "own_number" });
    return "not_texted";
  }
  return sendFailsafe(deps, missed, {
    locale: tenant.locale,
    sender: call.called,
    tenantId: tenant.id,
    isKnown: true,
  });
}

function announce(
  deps: CallDeps,
  missed: TenantCall,
  { conversationId, text, afterCommit }: RecordedCall & { kind: "recorded" },
): void {
  const { call, requestId, tenant } = missed;
  const trace = { requestId, tenantId: tenant.id, providerMessageId: call.rootSid };
  // Should the database stop now, later reports of this call must not end in a second text.
  remember(deps.recent, "settled", call);
  deps.events.emit("missed_call", { ...trace, conversationId, callStatus: endOf(call) });
  afterCommit?.();
  if ("noText" in text) {
    deps.logger.info("a missed call gets no text", { ...trace, reason: text.noText });
    return;
  }
  const { messageId, segments } = text;
  const queued = { requestId, tenantId: tenant.id, conversationId, messageId };
  deps.events.emit("message_queued", { ...queued, kind: "missed_call", segments });
  deps.events.emit("missed_call_text_queued", queued);
  deps.wakeOutbox();
}
