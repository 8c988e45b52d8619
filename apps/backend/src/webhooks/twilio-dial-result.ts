import { Router } from "express";
import { remember, type CallDeps, type ReportedCall } from "../calls/call-deps.ts";
import { findCallee, handleEndedCall } from "../calls/handle-call-report.ts";
import { spokenNotice } from "../calls/notice.ts";
import { hangUp } from "../calls/voice-twiml.ts";
import { otherMethods } from "../http/other-methods.ts";
import { twilioForm } from "../http/twilio-request.ts";
import { answerCaller, type SpokenAnswer } from "./answer-caller.ts";

/**
 * POST /api/twilio/dial-result: the call to the operator ended, and the caller's goes on with the
 * TwiML of this answer. The text leaves now, not when the caller has hung up.
 */
export function twilioDialResult(deps: CallDeps): Router {
  const router = Router();
  router.post("/api/twilio/dial-result", twilioForm, (request, response) =>
    answerCaller(deps, request, response, (reported) => goOn(deps, reported)),
  );
  router.all("/api/twilio/dial-result", otherMethods("POST"));
  return router;
}

async function goOn(deps: CallDeps, { call, requestId }: ReportedCall): Promise<SpokenAnswer> {
  // This request means that the call to the operator is over: with no word on how, nobody was reached.
  const dialStatus = call.dialStatus ?? "failed";
  if (dialStatus === "completed" || dialStatus === "answered") {
    // Should the database be away when the caller hangs up, it must not look like a missed call.
    remember(deps.recent, "settled", call);
    return { outcome: "dial_answered", twiml: hangUp() };
  }
  // If the text does not leave now, the report at the end of the call has another try.
  remember(deps.recent, "spokenTo", call);
  const reported = { call: { ...call, dialStatus }, requestId };
  const callee = await findCallee(deps, reported);
  const outcome = await handleEndedCall(deps, reported, callee);
  return { outcome, twiml: spokenNotice(callee) };
}
