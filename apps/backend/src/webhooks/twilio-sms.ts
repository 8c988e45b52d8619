import { Router } from "express";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Inbound, InboundResult, InboundText } from "../conversations/handle-inbound.ts";
import { storeUnrouted } from "../conversations/unrouted.ts";
import {
  readTwilioMessage,
  received,
  twilioForm,
  type TwilioMessageDeps,
  type VerifiedMessage,
} from "../http/twilio-request.ts";
import { emptyTwiml } from "../http/twiml.ts";
import { resolveArrival } from "../numbers/resolve-number.ts";
import type { Database } from "@jobrun/db";
import type { Events } from "../telemetry/events.ts";

export interface SmsDeps extends TwilioMessageDeps {
  db: Database;
  inbound: Inbound;
  events: Events;
  alerts: AlertService;
  deadlineMs: number;
  wakeOutbox: () => void;
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
        emptyTwiml(response);
        return;
      case "failed":
        // A provider retries on the status; the text is for the person who reads its log.
        response.status(500).type("text/plain").send("Message processing failed - will retry");
        return;
    }
  });
  return router;
}

async function take(
  deps: SmsDeps,
  { message, requestId }: VerifiedMessage,
  deadline: number,
): Promise<InboundResult> {
  try {
    const { number, known } = await resolveArrival(deps.db, message.to, message.providerMessageId);
    if (known) return { kind: "duplicate" };
    if (number.role !== "OPERATIONAL") return await takeUnrouted(deps, { message, requestId });
    return await deps.inbound.handle(
      inboundText({ message, requestId }, number.tenantId, deadline),
    );
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

/** What the features take: a verified message, and whose it is. */
function inboundText(
  { message, requestId }: VerifiedMessage,
  tenantId: string,
  deadline: number,
): InboundText {
  return {
    address: { tenantId, channel: message.channel, customer: message.from },
    texted: message.to,
    providerMessageId: message.providerMessageId,
    requestId,
    body: message.body,
    media: message.media,
    deadline,
  };
}

async function takeUnrouted(
  deps: SmsDeps,
  { message, requestId }: VerifiedMessage,
): Promise<InboundResult> {
  if ((await storeUnrouted(deps.db, message, requestId)) === "duplicate")
    return { kind: "duplicate" };
  deps.wakeOutbox();
  void deps.alerts.raise({ type: "UNROUTED_MESSAGE", requestId });
  return { kind: "committed" };
}
