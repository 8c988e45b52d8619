import type { Database } from "@jobrun/db";
import { Router } from "express";
import { otherMethods } from "../http/other-methods.ts";
import { twilioForm, verifyTwilioRequest, type TwilioWebhookDeps } from "../http/twilio-request.ts";
import { announceReceipt, applyReceipt, type AppliedReceipt } from "../outbound/receipts.ts";
import type { Events } from "../telemetry/events.ts";

export interface ReceiptRouteDeps extends TwilioWebhookDeps {
  db: Database;
  events: Events;
  wakeOutbox: () => void;
}

/**
 * POST /api/twilio/message-status: what became of a text of ours; our id of it is in the query, `m`.
 * 204 when it is written, changes nothing, or is kept until its text is known.
 */
export function twilioMessageStatus(deps: ReceiptRouteDeps): Router {
  const router = Router();
  router.post("/api/twilio/message-status", twilioForm, async (request, response) => {
    const verified = verifyTwilioRequest(deps, request, response, "sms");
    if (verified === null) return;
    const parsed = deps.channel.parseReceipt(verified);
    if (!parsed.ok) {
      verified.malformed(parsed.problems);
      return;
    }
    let applied: AppliedReceipt;
    try {
      applied = await applyReceipt(deps.db, parsed.receipt);
    } catch (error) {
      const { requestId } = verified;
      deps.metrics.webhooks.inc({ channel: "sms", outcome: "failed" });
      deps.metrics.transactionsFailed.inc();
      deps.alerts.recordTransactionFailure();
      deps.events.emit("transaction_failed", {
        requestId,
        providerMessageId: parsed.receipt.providerMessageId,
        errorClass: error instanceof Error ? error.name : "unknown",
      });
      deps.logger.error("webhook failed", { requestId, error });
      response.status(500).type("text/plain").send("Receipt processing failed - will retry");
      return;
    }
    deps.metrics.webhooks.inc({ channel: "sms", outcome: `receipt_${applied.kind}` });
    announceReceipt(deps, applied);
    response.status(204).end();
  });
  router.all("/api/twilio/message-status", otherMethods("POST"));
  return router;
}
