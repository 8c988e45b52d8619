import { Router } from "express";
import type { AlertService } from "../alerts/alert-service.ts";
import {
  takeDeferred,
  type TakeDeferredDeps,
  type TakenResult,
} from "../conversations/take-deferred.ts";
import { takeText } from "../conversations/take-text.ts";
import { otherMethods } from "../http/other-methods.ts";
import {
  readTwilioMessage,
  received,
  twilioForm,
  type TwilioMessageDeps,
  type VerifiedMessage,
} from "../http/twilio-request.ts";
import { emptyTwiml } from "../http/twiml.ts";
import type { Events } from "../telemetry/events.ts";

export interface SmsDeps extends TwilioMessageDeps, TakeDeferredDeps {
  events: Events;
  alerts: AlertService;
  deadlineMs: number;
  now: () => number;
}

/** POST /sms: Twilio's inbound message. 200 only when everything about it is written. */
export function twilioSms(deps: SmsDeps): Router {
  const router = Router();
  router.post(["/sms", "/api/twilio/sms"], twilioForm, async (request, response) => {
    const started = deps.now();
    const verified = readTwilioMessage(deps, request, response);
    if (verified === null) return;
    deps.events.emit("message_received", received(verified));

    const result = await take(deps, verified, started + deps.deadlineMs);
    deps.metrics.webhooks.inc({ channel: "sms", outcome: result.kind });
    deps.metrics.webhookDuration.observe({ channel: "sms" }, (deps.now() - started) / 1000);
    switch (result.kind) {
      case "duplicate":
        deps.metrics.duplicates.inc();
        deps.events.emit("duplicate_message_dropped", {
          requestId: verified.requestId,
          providerMessageId: verified.message.providerMessageId,
        });
        emptyTwiml(response);
        return;
      case "committed":
      case "deferred":
        emptyTwiml(response);
        return;
      case "failed":
        // A provider retries on the status; the text is for the person who reads its log.
        response.status(500).type("text/plain").send("Message processing failed - will retry");
        return;
    }
  });
  router.all(["/sms", "/api/twilio/sms"], otherMethods("POST"));
  return router;
}

async function take(
  deps: SmsDeps,
  { message, requestId }: VerifiedMessage,
  deadline: number,
): Promise<TakenResult> {
  const { channel } = deps;
  const text = { message, requestId };
  try {
    if (channel.processing === "sync") return await takeText(deps, text, deadline);
    const [result] = await takeDeferred(deps, channel, [text], deadline);
    return result ?? { kind: "failed" };
  } catch (error) {
    deps.metrics.transactionsFailed.inc();
    deps.alerts.recordTransactionFailure();
    deps.events.emit("transaction_failed", {
      requestId,
      providerMessageId: message.providerMessageId,
      errorClass: error instanceof Error ? error.name : "unknown",
    });
    deps.logger.error("webhook failed", { requestId, error });
    return { kind: "failed" };
  }
}
