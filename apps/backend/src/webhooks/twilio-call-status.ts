import { Router } from "express";
import type { CallDeps } from "../calls/call-deps.ts";
import { handleCallReport } from "../calls/handle-call-report.ts";
import { parseCall } from "../calls/parse-call.ts";
import { otherMethods } from "../http/other-methods.ts";
import { twilioForm, verifyTwilioRequest } from "../http/twilio-request.ts";
import { emptyTwiml } from "../http/twiml.ts";
import { defaultsOf } from "./answer-caller.ts";

/**
 * POST /api/twilio/status: how far a call is. 200 when its caller was answered, by the database or
 * without it. 500 only when neither can and a repetition might.
 */
export function twilioCallStatus(deps: CallDeps): Router {
  const router = Router();
  router.post("/api/twilio/status", twilioForm, async (request, response) => {
    const started = deps.now();
    const verified = verifyTwilioRequest(deps, request, response, "voice");
    if (verified === null) return;
    const parsed = parseCall(verified.params, defaultsOf(deps));
    if (!parsed.ok) {
      verified.malformed(parsed.problems);
      return;
    }
    const { call } = parsed;
    if (call.status === null) {
      verified.malformed(["CallStatus"]);
      return;
    }
    const outcome = await handleCallReport(deps, { call, requestId: verified.requestId });
    deps.metrics.webhooks.inc({ channel: "voice", outcome });
    deps.metrics.webhookDuration.observe({ channel: "voice" }, (deps.now() - started) / 1000);
    if (outcome !== "lost") return emptyTwiml(response);
    response.status(500).type("text/plain").send("Call processing failed - will retry");
  });
  router.all("/api/twilio/status", otherMethods("POST"));
  return router;
}
