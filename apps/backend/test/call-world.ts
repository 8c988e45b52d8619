import { randomBytes } from "node:crypto";
import { signTwilioRequest } from "@jobrun/simulator";
import {
  CUSTOMER,
  DEMO_NUMBER,
  post,
  type Answer,
  type RunningGateway,
  type World,
} from "./harness.ts";

const PUBLIC_URL = "https://gateway.example.com";

/** A number that is in no pool. */
export const NOBODYS_NUMBER = "+447700900999";
export const FAILSAFE =
  "We missed your call. Please reply with details about the job you need help with and we'll get back to you shortly.";

export interface CallReport {
  path?: "/api/twilio/voice" | "/api/twilio/status" | "/api/twilio/dial-result";
  /** A new one when absent; null sends none. */
  sid?: string | null;
  from?: string;
  to?: string;
  status?: string;
  dialStatus?: string;
  /** Further parameters of Twilio's. */
  extra?: Record<string, string>;
  /** Instead of the right one; null sends none. */
  signature?: string | null;
}

export function newCallSid(): string {
  return `CA${randomBytes(16).toString("hex")}`;
}

/** Posts one signed webhook of a call, as Twilio does: by default that nobody answered. */
export function reportCall(
  { simulator }: World,
  gateway: RunningGateway,
  report: CallReport = {},
): Promise<Answer> {
  const {
    path = "/api/twilio/status",
    sid = newCallSid(),
    from = CUSTOMER,
    to = DEMO_NUMBER,
    status = "no-answer",
    dialStatus,
    extra = {},
  } = report;
  const params = {
    ...(sid !== null && { CallSid: sid }),
    AccountSid: simulator.accountSid,
    From: from,
    To: to,
    CallStatus: status,
    ApiVersion: "2010-04-01",
    Direction: "inbound",
    ...(dialStatus !== undefined && { DialCallStatus: dialStatus }),
    ...extra,
  };
  const { signature = signTwilioRequest(simulator.authToken, PUBLIC_URL + path, params) } = report;
  return post(
    gateway.url + path,
    new URLSearchParams(params),
    signature === null ? {} : { "x-twilio-signature": signature },
  );
}

/** What a 200 looks like that says nothing to anybody. */
export const SILENT_OK = {
  status: 200,
  contentType: "text/xml; charset=utf-8",
  body: "<Response/>",
};

export interface CallRow {
  sender: string;
  recipient: string;
  providerMessageId: string | null;
  body: string;
  status: string;
  inConversation: boolean;
}

/** Every call that is recorded, in the order of commits. */
export function recordedCalls(world: World): Promise<CallRow[]> {
  return world.query<CallRow>(
    `SELECT "sender", "recipient", "providerMessageId", "body", "status"::text, "conversationId" IS NOT NULL AS "inConversation"
     FROM "Message" WHERE "kind" = 'call' AND "direction" = 'INBOUND' ORDER BY "position"`,
  );
}

/** How many texts to missed callers are queued or were sent, above all tenants. */
export async function countMissedCallTexts(world: World, to: string): Promise<number> {
  const rows = await world.query(
    `SELECT 1 FROM "Message" WHERE "kind" = 'missed_call' AND "recipient" = $1`,
    [to],
  );
  return rows.length;
}

/** Rows of everything that a call to nobody's number must not make. */
export async function countPeople(world: World): Promise<Record<string, number>> {
  const [counts] = await world.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM "Client") AS "Client",
            (SELECT count(*)::int FROM "Customer") AS "Customer",
            (SELECT count(*)::int FROM "Conversation") AS "Conversation",
            (SELECT count(*)::int FROM "OnboardingState") AS "OnboardingState",
            (SELECT count(*)::int FROM "Message") AS "Message",
            (SELECT count(*)::int FROM "UnroutedMessage") AS "UnroutedMessage"`,
  );
  if (counts === undefined) throw new Error("no counts");
  return counts;
}

/** The value of one line of /metrics; 0 when there is none. */
export async function metric(gateway: RunningGateway, line: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(
    text
      .split("\n")
      .find((found) => found.startsWith(`${line} `))
      ?.slice(line.length) ?? 0,
  );
}
