import { Router } from "express";
import type { CallDeps } from "../calls/call-deps.ts";
import { RecentKeys } from "../calls/recent-keys.ts";
import { twilioCallStatus } from "./twilio-call-status.ts";
import { twilioDialResult } from "./twilio-dial-result.ts";
import { twilioVoice } from "./twilio-voice.ts";

/** The routes of calls. They share what this process remembers of calls. */
export function callRoutes(given: Omit<CallDeps, "recent">): Router {
  const deps = { ...given, recent: new RecentKeys(given.now) };
  const router = Router();
  router.use(twilioVoice(deps), twilioCallStatus(deps), twilioDialResult(deps));
  return router;
}
