import { newId } from "@jobrun/db";
import { prepareSmsText, sendWithRetry, type SendOutcome } from "@jobrun/messaging";
import { logAttempts } from "../outbound/log-attempts.ts";
import { messageKinds } from "../outbound/message-kinds.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import type { Locale } from "../texts/fill.ts";
import { forget, remember, remembers, type CallDeps, type ReportedCall } from "./call-deps.ts";
import type { Call } from "./parse-call.ts";

export interface Failsafe {
  locale: Locale;
  /** A number of ours, E.164: what the caller replies to */
  sender: string;
  tenantId: string | null;
  /** The called number is one of ours */
  isKnown: boolean;
}

/** `lost`: certainly not sent, and a later report of this call may try again. */
export type FailsafeResult = "sent" | "duplicate" | "not_texted" | "lost";

// What Twilio waits for an answer is 15 s, tries included.
const SEND_WITHIN_MS = 12_000;
const MINUTE_MS = 60_000;

/**
 * Texts a missed caller straight through the provider: no database. Once per call, and once per
 * caller and sender within the cooldown, as far as this process remembers. Never throws.
 */
export async function sendFailsafe(
  deps: CallDeps,
  { call, requestId }: ReportedCall,
  failsafe: Failsafe,
): Promise<FailsafeResult> {
  const { recent, logger } = deps;
  const trace = { requestId, tenantId: failsafe.tenantId, providerMessageId: call.rootSid };
  if (!remember(recent, "settled", call)) return "duplicate";
  const callerKey = callerKeyOf(call, failsafe.sender);
  const reason = reasonForNoText(deps, call) ?? (claim(deps, callerKey) ? null : "cooldown");
  if (reason !== null) {
    logger.info("a missed call gets no text", { ...trace, reason });
    return "not_texted";
  }
  const outcome = await send(deps, { call, requestId }, failsafe);
  if (outcome.kind !== "unavailable") return "sent";
  forget(recent, "settled", call);
  recent.delete(callerKey);
  return "lost";
}

/** Whether the fail-safe has texted this caller, from this sender, for this call or within the cooldown. */
export function wasTextedByFailsafe(deps: CallDeps, call: Call, sender: string): boolean {
  return remembers(deps.recent, "settled", call) || deps.recent.has(callerKeyOf(call, sender));
}

function reasonForNoText(deps: CallDeps, { caller, called }: Call): string | null {
  if (caller.kind !== "phone") return caller.kind;
  return caller.address === called || caller.address === deps.failsafeSender ? "own_number" : null;
}

function callerKeyOf({ caller }: Call, sender: string): string {
  return `caller ${caller.address} ${sender}`;
}

function claim({ recent, cooldownMinutes }: CallDeps, callerKey: string): boolean {
  return recent.add(callerKey, cooldownMinutes * MINUTE_MS);
}

async function send(
  deps: CallDeps,
  { call, requestId }: ReportedCall,
  { locale, sender, tenantId, isKnown }: Failsafe,
): Promise<SendOutcome> {
  const { channel, metrics, logger, events } = deps;
  const messageId = newId();
  const trace = { requestId, tenantId, providerMessageId: call.rootSid };
  const outcome = await sendWithRetry(
    channel,
    {
      id: messageId,
      from: sender,
      to: call.caller.address,
      body: prepareSmsText(customerTexts.failsafe[locale]).text,
      validitySeconds: messageKinds.missed_call.lifeSeconds,
    },
    {
      signal: AbortSignal.timeout(SEND_WITHIN_MS),
      onAttemptFailed: logAttempts(logger, channel.name, trace),
    },
  );
  metrics.outbound.inc({ channel: channel.name, outcome: outcome.kind });
  switch (outcome.kind) {
    case "accepted":
      events.emit("system_failsafe_sent", { ...trace, callStatus: endOf(call), isKnown });
      break;
    case "rejected":
      events.emit("message_failed", { ...trace, messageId, code: outcome.code });
      break;
    case "unknown":
      events.emit("message_unknown", { ...trace, messageId, code: outcome.code });
      break;
    case "unavailable":
      events.emit("message_dead", { ...trace, messageId });
      logger.error("SMS send failed after all retries - MESSAGE LOST", trace);
  }
  return outcome;
}

/** How a call ended, in Twilio's word: that of the call to the operator first. */
export function endOf({ status, dialStatus }: Call): string {
  return dialStatus ?? status ?? "unknown";
}
