import { callParams, dialParams, statusParams } from "./call-params.ts";
import type { CallParties, CallStatus } from "./call-params.ts";
import { deliverWebhook } from "./deliver-webhook.ts";
import type { WebhookResult } from "./deliver-webhook.ts";
import { newSid } from "./new-sid.ts";
import { elementsOf, parseTwiml, textOf } from "./parse-twiml.ts";
import type { TwimlElement } from "./parse-twiml.ts";

/** What becomes of a call. Where the gateway rings somebody, it is what that phone does. */
export const CALL_OUTCOMES = [
  "no-answer",
  "busy",
  /** The connection could not be made. */
  "failed",
  /** The caller hangs up before anybody answers. */
  "canceled",
  /** Something answers: with `<Dial>`, perhaps a voicemail. */
  "completed",
  "answered-by-operator",
] as const;

export type CallOutcome = (typeof CALL_OUTCOMES)[number];

export interface CallResult {
  sid: string;
  /** How the call ended for Twilio. A number that answers with a spoken notice ends `completed`. */
  status: CallStatus;
  /** Every request made, in order. */
  requests: WebhookResult["attempts"];
  /** What the caller was told, in order. */
  said: string[];
  /** The number the gateway rang. */
  dialled: string | null;
}

export interface Call extends CallParties {
  outcome: CallOutcome;
  /** Null: nothing answers, and the call ends as its outcome says. */
  voiceUrl: string | null;
  /** Null: nobody is told how it ended. */
  statusUrl: string | null;
  /** The status callbacks to make, in this order; absent: one, of the end. */
  statusCallbacks?: CallStatus[];
  onSaid?: (text: string) => void;
  authToken: string;
  signal: AbortSignal;
}

/** An `<Dial action>` that dials again would go on for ever. */
const MAX_DOCUMENTS = 10;
const NOTICE_SECONDS = 9;
const TALK_SECONDS = 63;
const APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye.";

/**
 * Plays one inbound call as Twilio does: what answers, what its TwiML says and dials, then the status callbacks, all
 * signed and with Twilio's retries.
 * @throws RangeError for TwiML it does not play; an abort error when `signal` is aborted
 */
export async function playCall(call: Call): Promise<CallResult> {
  const leg: Leg = { answered: false, refused: null, requests: [], said: [], dialled: null };
  if (call.voiceUrl !== null) await follow(call, leg, call.voiceUrl);
  const status = finalStatus(call, leg);
  const seconds = durationOf(call, leg);
  if (call.statusUrl !== null) {
    for (const told of call.statusCallbacks ?? [status]) {
      const params = { ...callParams(call, told), ...statusParams(told, seconds), ...call.extra };
      await post(call, leg, call.statusUrl, params);
    }
  }
  const { requests, said, dialled } = leg;
  return { sid: call.sid, status, requests, said, dialled };
}

/** The inbound side of the call as far as it has come. */
interface Leg {
  answered: boolean;
  refused: "busy" | "no-answer" | null;
  requests: WebhookResult["attempts"];
  said: string[];
  dialled: string | null;
}

/** Requests a document and does what it says, then the next one if its `<Dial>` names an action. */
async function follow(call: Call, leg: Leg, voiceUrl: string): Promise<void> {
  let next: { url: string; params: Record<string, string> } | null = { url: voiceUrl, params: {} };
  for (let count = 0; next !== null; count++) {
    if (count === MAX_DOCUMENTS) throw new RangeError("the TwiML goes round in circles");
    const { url, params }: typeof next = next;
    const status = leg.answered ? "in-progress" : "ringing";
    const answer = await post(call, leg, url, { ...callParams(call, status), ...params });
    const verbs = read(answer);
    const gone = call.outcome === "canceled" || call.outcome === "failed";
    const dials = verbs.some(({ name }) => name === "Dial");
    // Without a second phone to ring, these two end the call before the number answers.
    if (gone && !dials && leg.dialled === null) return;
    // A caller who has hung up hears nothing of what follows the Dial.
    if (call.outcome === "canceled" && leg.dialled !== null) return;
    next = perform(call, leg, verbs, url);
  }
}

type Next = { url: string; params: Record<string, string> } | null;

/** Does one verb after the other, and says which document comes next. */
function perform(call: Call, leg: Leg, verbs: TwimlElement[], url: string): Next {
  for (const verb of verbs) {
    switch (verb.name) {
      case "Say": {
        leg.answered = true;
        const text = textOf(verb).trim();
        leg.said.push(text);
        call.onSaid?.(text);
        break;
      }
      case "Play":
      case "Pause":
        leg.answered = true;
        break;
      case "Reject":
        if (leg.answered) return null;
        leg.refused = verb.attributes["reason"] === "busy" ? "busy" : "no-answer";
        return null;
      case "Hangup":
        leg.answered ||= leg.dialled === null;
        return null;
      case "Dial": {
        const status = dial(call, leg, verb);
        const { action } = verb.attributes;
        if (action !== undefined) {
          const params = dialParams(newSid("CA"), status, TALK_SECONDS);
          return { url: new URL(action, url).href, params };
        }
        if (call.outcome === "canceled") return null;
        break;
      }
      default:
        throw new RangeError(`the simulator does not play <${verb.name}>`);
    }
  }
  // A document that ends has answered, unless all it did was to ring somebody else in vain.
  leg.answered ||= leg.dialled === null;
  return null;
}

/** Rings the second phone. @returns its DialCallStatus */
function dial(call: Call, leg: Leg, verb: TwimlElement): CallStatus {
  const noun = elementsOf(verb).find(({ name }) => name === "Number");
  leg.dialled = textOf(noun ?? verb).trim();
  const reached = call.outcome === "answered-by-operator" || call.outcome === "completed";
  if (reached || verb.attributes["answerOnBridge"] !== "true") leg.answered = true;
  return call.outcome === "answered-by-operator" ? "completed" : call.outcome;
}

/** An answer as verbs: plain text is read out, and what cannot be used is told to the caller as an error. */
function read(answer: WebhookResult["final"]): TwimlElement[] {
  const say = (text: string): TwimlElement[] => [{ name: "Say", attributes: {}, children: [text] }];
  if (answer === null || answer.status < 200 || answer.status > 299) return say(APPLICATION_ERROR);
  const type = answer.contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "text/plain") return say(answer.body);
  const document = /^(text|application)\/(xml|html)$/.test(type) ? parseTwiml(answer.body) : null;
  return document === null ? say(APPLICATION_ERROR) : elementsOf(document);
}

function finalStatus(call: Call, leg: Leg): CallStatus {
  if (leg.refused !== null) return leg.refused;
  if (leg.answered) return "completed";
  if (call.outcome === "answered-by-operator") return "completed";
  // The caller kept hearing it ring while the other phone did whatever it did.
  return leg.dialled !== null && call.outcome !== "canceled" ? "no-answer" : call.outcome;
}

/** Seconds; 0 for a call nobody answered. */
function durationOf(call: Call, leg: Leg): number {
  if (leg.dialled !== null && call.outcome === "answered-by-operator") return TALK_SECONDS;
  return leg.answered ? NOTICE_SECONDS : 0;
}

async function post(
  call: Call,
  leg: Leg,
  url: string,
  params: Record<string, string>,
): Promise<WebhookResult["final"]> {
  const { authToken, signal } = call;
  const { result } = await deliverWebhook({ webhookUrl: url, params, authToken, signal });
  leg.requests.push(...result.attempts);
  return result.final;
}
