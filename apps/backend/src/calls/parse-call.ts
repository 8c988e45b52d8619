import { normaliseAddress, type WebhookRequest } from "@jobrun/messaging";
import { z } from "zod";

/** Who calls, as far as a text can reach them. */
interface Caller {
  /** E.164 of a `phone`; else what may be stored: the short code, the address, "anonymous" or "unknown" */
  address: string;
  kind: "phone" | "anonymous" | "short_code" | "not_a_phone";
}

/** What one webhook says about a call to a number of ours. */
export interface Call {
  /** The id of the leg that called us: the same in everything that reports on one call. Null: Twilio gave none. */
  rootSid: string | null;
  caller: Caller;
  /** The number that was called, E.164 */
  called: string;
  status: CallStatus | null;
  /** How the call to the operator ended, once it has */
  dialStatus: DialStatus | null;
  /** A leg that we called ourselves: the caller's own leg is reported too */
  isOutboundLeg: boolean;
}

export type CallParseResult = { ok: true; call: Call } | { ok: false; problems: string[] };

const CallStatusValue = z.enum([
  "queued",
  "initiated",
  "ringing",
  "in-progress",
  "completed",
  "busy",
  "failed",
  "no-answer",
  "canceled",
]);
export type CallStatus = z.infer<typeof CallStatusValue>;

const DialStatusValue = z.enum([
  "completed",
  "answered",
  "busy",
  "no-answer",
  "failed",
  "canceled",
]);
type DialStatus = z.infer<typeof DialStatusValue>;

/** What Twilio puts for a withheld number; the digits spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE
 * on a keypad (support article "Why am I getting calls from these strange numbers?"). */
const WITHHELD =
  /^(?:anonymous|restricted|blocked|unknown|unavailable|private|\+?266696687|\+?7378742833|\+?2562533|\+?8656696|\+?86282452253)$/i;
const SHORT_CODE = /^\d{3,8}$/;
const E164 = /^\+\d{7,15}$/;

const callSid = z.string().regex(/^[!-~]{1,64}$/);

// Twilio adds parameters without notice, so unknown ones pass. A repeated one is an array and fails.
const CallForm = z.object({
  CallSid: callSid.optional(),
  ParentCallSid: callSid.optional(),
  From: z.string().default(""),
  To: z.string().transform((raw, context) => {
    const address = normaliseAddress(raw);
    if (address !== null) return address;
    context.addIssue({ code: "custom", message: "not an address" });
    return z.NEVER;
  }),
  CallStatus: CallStatusValue.optional(),
  // A value that we do not know says nothing about whether a person was reached.
  DialCallStatus: DialStatusValue.optional().catch(undefined),
  Direction: z.string().optional().catch(undefined),
});

/**
 * Reads the parameters of Twilio's voice webhooks: the TwiML request, the status callback and the
 * action of a dialled call (https://www.twilio.com/docs/voice/twiml#request-parameters).
 *
 * @param defaults.to stands in for a missing `To`
 * @returns problems as names of fields, never their values. A caller that cannot be read is no
 *   problem: the call happened all the same.
 */
export function parseCall(
  params: WebhookRequest["params"],
  defaults: { to?: string } = {},
): CallParseResult {
  const given = Object.entries(params).filter(([, value]) => value !== "");
  const result = CallForm.safeParse({
    ...(defaults.to !== undefined && { To: defaults.to }),
    ...Object.fromEntries(given),
  });
  if (!result.success) {
    return {
      ok: false,
      problems: [...new Set(result.error.issues.map(({ path }) => String(path[0])))],
    };
  }
  const form = result.data;
  return {
    ok: true,
    call: {
      rootSid: form.ParentCallSid ?? form.CallSid ?? null,
      caller: readCaller(form.From),
      called: form.To,
      status: form.CallStatus ?? null,
      dialStatus: form.DialCallStatus ?? null,
      isOutboundLeg: form.Direction?.startsWith("outbound") ?? false,
    },
  };
}

function readCaller(from: string): Caller {
  if (from.trim() === "" || WITHHELD.test(from.trim())) {
    return { kind: "anonymous", address: "anonymous" };
  }
  const address = normaliseAddress(from);
  if (address === null) return { kind: "not_a_phone", address: "unknown" };
  if (WITHHELD.test(address)) return { kind: "anonymous", address: "anonymous" };
  if (E164.test(address)) return { kind: "phone", address };
  return { kind: SHORT_CODE.test(address) ? "short_code" : "not_a_phone", address };
}
