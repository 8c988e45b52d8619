import { Router } from "express";
import { customerTexts } from "../conversations/customer-texts.ts";
import { deferInbound } from "../conversations/deferred.ts";
import { storeUnrouted } from "../conversations/unrouted.ts";
import {
  readTwilioMessage,
  received,
  twilioForm,
  type VerifiedMessage,
} from "../http/twilio-request.ts";
import { emptyTwiml, twimlMessage } from "../http/twiml.ts";
import { resolveArrival } from "../numbers/resolve-number.ts";
import type { SmsDeps } from "./twilio-sms.ts";

export interface FallbackDeps extends SmsDeps {
  wakeDeferred: () => void;
}

/**
 * POST /sms/fallback: what Twilio calls when /sms failed. Needs no assistant, and answers the
 * customer even without a database. A verified request always gets a 200.
 */
export function twilioSmsFallback(deps: FallbackDeps): Router {
  const router = Router();
  router.post("/sms/fallback", twilioForm, async (request, response) => {
    const verified = readTwilioMessage(deps, request, response);
    if (verified === null) return;
    deps.events.emit("message_received", received(verified));
    try {
      const outcome = await store(deps, verified);
      deps.metrics.webhooks.inc({ channel: "sms", outcome });
      announce(deps, verified, outcome);
      emptyTwiml(response);
    } catch (error) {
      deps.metrics.webhooks.inc({ channel: "sms", outcome: "technical_issue" });
      deps.logger.error(
        "the fallback could not store a message; its sender gets the technical-issue text",
        {
          requestId: verified.requestId,
          error,
        },
      );
      twimlMessage(response, customerTexts.technicalIssue.en);
    }
  });
  return router;
}

type Outcome = "deferred" | "duplicate" | "stored";

async function store(
  deps: FallbackDeps,
  { message, requestId }: VerifiedMessage,
): Promise<Outcome> {
  const { number, known } = await resolveArrival(deps.db, message.to, message.providerMessageId);
  if (known) return "duplicate";
  if (number.role !== "OPERATIONAL") return storeUnrouted(deps.db, message, requestId);
  return deferInbound(
    deps.db,
    {
      address: { tenantId: number.tenantId, channel: message.channel, customer: message.from },
      texted: message.to,
      providerMessageId: message.providerMessageId,
      requestId,
      body: message.body,
      media: message.media,
      deadline: deps.now() + deps.deadlineMs,
    },
    deps.now,
  );
}

function announce(
  deps: FallbackDeps,
  { message, requestId }: VerifiedMessage,
  outcome: Outcome,
): void {
  const trace = { requestId, providerMessageId: message.providerMessageId };
  switch (outcome) {
    case "duplicate":
      deps.metrics.duplicates.inc();
      deps.events.emit("duplicate_message_dropped", trace);
      return;
    case "stored":
      void deps.alerts.raise({ type: "UNROUTED_MESSAGE", requestId });
      break;
    case "deferred":
      deps.metrics.recovered.inc({ net: "fallback" });
      deps.events.emit("message_deferred", trace);
      deps.wakeDeferred();
  }
  deps.wakeOutbox();
}
