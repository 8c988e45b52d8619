import { Router } from "express";
import { acceptLater, type Accepted } from "../conversations/accept-later.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import { otherMethods } from "../http/other-methods.ts";
import {
  readTwilioMessage,
  received,
  twilioForm,
  type VerifiedMessage,
} from "../http/twilio-request.ts";
import { emptyTwiml, twimlMessage } from "../http/twiml.ts";
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
      const { outcome } = await acceptLater(deps, [verified]);
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
  router.all("/sms/fallback", otherMethods("POST"));
  return router;
}

function announce(
  deps: FallbackDeps,
  { message, requestId }: VerifiedMessage,
  outcome: Accepted["outcome"],
): void {
  const trace = { requestId, providerMessageId: message.providerMessageId };
  switch (outcome) {
    case "duplicate":
      deps.metrics.duplicates.inc();
      deps.events.emit("duplicate_message_dropped", trace);
      return;
    case "deferred":
      deps.metrics.recovered.inc({ net: "fallback" });
      deps.events.emit("message_deferred", trace);
      return;
    case "stored":
      return;
  }
}
