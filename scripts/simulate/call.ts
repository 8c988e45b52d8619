import type { CallOutcome, CallResult } from "@jobrun/simulator";
import { sayAt, sayRequests } from "./replies.ts";

export interface CallToPlay {
  from: string;
  to: string;
  outcome: CallOutcome;
  /** `CA` and 32 hexadecimal digits. */
  sid: string;
}

/**
 * Calls the gateway as Twilio would and prints what the caller hears and who is rung.
 *
 * @returns whether the gateway answered all that was asked
 * @throws Error with the simulator's words when it does not play the call
 */
export async function playCall(
  simulatorUrl: string,
  gatewayUrl: string,
  call: CallToPlay,
): Promise<"taken" | "refused" | "unreachable"> {
  const overrides = "#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000";
  sayAt(new Date(), `${call.from} calls ${call.to}  [${call.sid}]`);
  const response = await fetch(`${simulatorUrl}/admin/call`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...call,
      voiceUrl: `${gatewayUrl}/api/twilio/voice${overrides}`,
      statusUrl: `${gatewayUrl}/api/twilio/status${overrides}`,
    }),
  });
  if (!response.ok) throw new Error(`the simulator refused it: ${await response.text()}`);
  const { status, requests, said, dialled } = (await response.json()) as CallResult;
  if (dialled !== null) console.log(`          rings ${dialled}: ${call.outcome}`);
  for (const words of said) console.log(`          the caller hears: ${words}`);
  const last = [...new Map(requests.map((request) => [request.url, request.status])).values()];
  const taken = last.every((code) => code !== null && code < 300);
  const talked = dialled !== null && call.outcome === "answered-by-operator";
  console.log(
    taken && said.length > 0 && status === "completed" && !talked
      ? "          (nobody picked up; Twilio calls that completed, because the gateway spoke)"
      : `          (the call ended: ${status})`,
  );
  // What was accepted has been heard above, word by word.
  sayRequests(requests.map((one) => ({ ...one, body: one.status === 200 ? "" : one.body })));
  if (last.every((code) => code === null)) return "unreachable";
  return taken ? "taken" : "refused";
}
