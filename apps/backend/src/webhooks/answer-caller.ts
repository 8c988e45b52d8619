import type { Request, Response } from "express";
import type { CallDeps, ReportedCall } from "../calls/call-deps.ts";
import { spokenNotice } from "../calls/notice.ts";
import { parseCall } from "../calls/parse-call.ts";
import { verifyTwilioRequest } from "../http/twilio-request.ts";

/** What a caller is answered, and how the metrics name it. */
export interface SpokenAnswer {
  outcome: string;
  twiml: string;
}

/**
 * Verifies and answers a request whose answer a caller hears: 403 to a stranger, else 200 with TwiML,
 * whatever went wrong.
 */
export async function answerCaller(
  deps: CallDeps,
  request: Request,
  response: Response,
  answer: (reported: ReportedCall) => Promise<SpokenAnswer>,
): Promise<void> {
  const started = deps.now();
  const verified = verifyTwilioRequest(deps, request, response, "voice");
  if (verified === null) return;
  const { requestId, params } = verified;
  const parsed = parseCall(params, defaultsOf(deps));
  const { outcome, twiml } = parsed.ok
    ? await answer({ call: parsed.call, requestId })
    : { outcome: "malformed", twiml: spokenNotice(null) };
  if (!parsed.ok) {
    const { problems } = parsed;
    deps.logger.error("a call could not be read; it is answered", { requestId, problems });
  }
  deps.metrics.webhooks.inc({ channel: "voice", outcome });
  deps.metrics.webhookDuration.observe({ channel: "voice" }, (deps.now() - started) / 1000);
  response.status(200).type("text/xml").send(twiml);
}

/** What stands in for a missing To: only an unsigned request can lack it. */
export function defaultsOf({ signatures, defaultTo }: CallDeps): { to?: string } {
  return signatures === "off" && defaultTo !== undefined ? { to: defaultTo } : {};
}
