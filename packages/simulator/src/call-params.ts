/** What Twilio can say of a call (https://www.twilio.com/docs/voice/api/call-resource#call-status-values). */
export const CALL_STATUSES = [
  "queued",
  "initiated",
  "ringing",
  "in-progress",
  "completed",
  "busy",
  "failed",
  "no-answer",
  "canceled",
] as const;

export type CallStatus = (typeof CALL_STATUSES)[number];

export interface CallParties {
  /** `CA` and 32 hexadecimal digits. */
  sid: string;
  accountSid: string;
  /** E.164 with `+` for a normal phone; what Twilio reports otherwise: `anonymous`, a short code, `sip:…`. */
  from: string;
  to: string;
  /** Further parameters, or other values for the standard ones. */
  extra?: Record<string, string>;
}

/**
 * The form parameters of every request about an inbound call, all of them strings
 * (https://www.twilio.com/docs/voice/twiml#request-parameters).
 */
export function callParams(call: CallParties, status: CallStatus): Record<string, string> {
  return {
    CallSid: call.sid,
    AccountSid: call.accountSid,
    From: call.from,
    To: call.to,
    Caller: call.from,
    Called: call.to,
    CallStatus: status,
    Direction: "inbound",
    ApiVersion: "2010-04-01",
    ToCountry: "GB",
    CalledCountry: "GB",
    ...call.extra,
  };
}

/**
 * What a status callback adds. A length comes with the end alone: `CallDuration` in seconds, `Duration` in minutes,
 * rounded up (https://www.twilio.com/docs/voice/api/call-resource#statuscallback).
 */
export function statusParams(status: CallStatus, seconds: number): Record<string, string> {
  const step = ["initiated", "ringing", "in-progress"].indexOf(status);
  const length = {
    CallDuration: String(seconds),
    Duration: String(Math.ceil(seconds / 60)),
  };
  return {
    CallbackSource: "call-progress-events",
    SequenceNumber: String(step === -1 ? 3 : step),
    Timestamp: new Date().toUTCString().replace("GMT", "+0000"),
    ...(step === -1 && status !== "queued" ? length : {}),
  };
}

/** What the `action` of a `<Dial>` is told (https://www.twilio.com/docs/voice/twiml/dial#action). */
export function dialParams(
  dialSid: string,
  status: CallStatus,
  seconds: number,
): Record<string, string> {
  const reached = status === "completed";
  return {
    DialCallSid: dialSid,
    DialCallStatus: status,
    DialBridged: String(reached),
    ...(reached ? { DialCallDuration: String(seconds) } : {}),
  };
}
