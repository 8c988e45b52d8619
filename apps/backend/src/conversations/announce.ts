import { announceHandled, announceLimits, type LimitsOutcome } from "../limits/announce.ts";
import { isNearlyUsedUp } from "../limits/usage.ts";
import type { Committed } from "./commit.ts";
import type { InboundDeps } from "./handle-inbound.ts";
import type { makePlan } from "./make-plan.ts";
import type { NewText } from "./plan.ts";

/**
 * Tells what a turn did, once it is committed.
 *
 * @param said the turn's texts
 */
export function announce(
  deps: Pick<InboundDeps, "events" | "metrics" | "alerts" | "logger">,
  plan: ReturnType<typeof makePlan>,
  committed: Committed,
  limits: LimitsOutcome,
  said: readonly Pick<NewText, "requestId" | "providerMessageId">[],
): void {
  const trace = {
    requestId: plan.requestId,
    tenantId: plan.address.tenantId,
    conversationId: committed.conversationId,
  };
  // What follows is told under one text's id: who looks for another's finds here whose.
  for (const { requestId, providerMessageId } of said)
    if (requestId !== plan.requestId)
      deps.logger.info("a text was taken in one turn with others; their trace goes on", {
        ...trace,
        requestId,
        providerMessageId,
        turnRequestId: plan.requestId,
      });
  announceLimits(deps, trace, limits);
  if (plan.job !== null)
    deps.events.emit("job_upserted", {
      ...trace,
      jobId: plan.job.id,
      status: plan.job.status,
      urgency: plan.job.urgency,
    });
  for (const { id, kind, segments } of committed.outbound) {
    deps.events.emit("message_queued", { ...trace, messageId: id, kind, segments });
    if (kind === "urgent_alert" && plan.job !== null)
      deps.events.emit("urgent_job_alerted", { ...trace, jobId: plan.job.id, messageId: id });
  }
  announceHandled(deps, trace, limits);
  if (plan.consent !== null)
    deps.events.emit(plan.consent.optedOut ? "opt_out_recorded" : "opt_in_recorded", {
      ...trace,
      keyword: plan.consent.keyword,
    });
  if (isNearlyUsedUp(plan.limits?.usage?.limit ?? null, committed.answers))
    void deps.alerts.raise({
      type: "QUOTA_NEAR",
      resource: plan.address.tenantId,
      requestId: plan.requestId,
    });
  if (plan.violation)
    void deps.alerts.raise({
      type: "INVARIANT_VIOLATION",
      resource: "conversation-mode",
      requestId: plan.requestId,
    });
}
