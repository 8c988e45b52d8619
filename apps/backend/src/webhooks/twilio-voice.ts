import { Router } from "express";
import { remember, type CallDeps, type ReportedCall } from "../calls/call-deps.ts";
import { findCallee } from "../calls/handle-call-report.ts";
import { spokenNotice } from "../calls/notice.ts";
import { CONNECTION_OVERRIDES } from "../numbers/provision.ts";
import { ringOperator } from "../calls/voice-twiml.ts";
import { otherMethods } from "../http/other-methods.ts";
import { twilioForm } from "../http/twilio-request.ts";
import { answerCaller, type SpokenAnswer } from "./answer-caller.ts";

/**
 * POST /api/twilio/voice: somebody calls. A verified request always gets TwiML that says something
 * or rings the operator, also without a database.
 */
export function twilioVoice(deps: CallDeps): Router {
  const router = Router();
  router.post("/api/twilio/voice", twilioForm, (request, response) =>
    answerCaller(deps, request, response, (reported) => begin(deps, reported)),
  );
  router.all("/api/twilio/voice", otherMethods("POST"));
  return router;
}

async function begin(deps: CallDeps, reported: ReportedCall): Promise<SpokenAnswer> {
  const callee = await findCallee(deps, reported);
  if (callee.role === "OPERATIONAL" && callee.callHandling === "DIAL" && !callee.callerIsOurs) {
    // With the overrides a failed request is tried again: without its answer the caller would go without a text.
    const action = `${deps.publicBaseUrl}/api/twilio/dial-result${CONNECTION_OVERRIDES}`;
    return { outcome: "dial", twiml: ringOperator(callee.tenant.operatorPhone, action) };
  }
  remember(deps.recent, "spokenTo", reported.call);
  return { outcome: "notice", twiml: spokenNotice(callee) };
}
