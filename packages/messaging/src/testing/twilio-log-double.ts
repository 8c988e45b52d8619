import type { ServerResponse } from "node:http";
import type { LogBehaviour, LogFixtures } from "./describe-channel.ts";
import { type Answering, json, openDouble, text } from "./http-double.ts";
import { twilioChannel, type TwilioOptions } from "../twilio/twilio-channel.ts";

const SINCE = new Date("2026-11-21T10:00:00.500Z");
export const ASKED = {
  from: "+441632960001",
  to: "+447700900123",
  body: "We are on our way, Müller & Söhne",
  since: SINCE,
};

/** A message as `GET Messages.json` shows it; `second` counts from the second of `ASKED.since`. */
export function logged(sid: string, second: number, more: Record<string, unknown> = {}) {
  const date = new Date(Math.floor(SINCE.getTime() / 1000) * 1000 + second * 1000).toUTCString();
  const at = date.replace("GMT", "+0000");
  return {
    sid,
    direction: "outbound-api",
    from: ASKED.from,
    to: ASKED.to,
    body: ASKED.body,
    num_media: "0",
    status: "sent",
    date_created: at,
    date_sent: at,
    ...more,
  };
}

/** One customer's text in Twilio's log. */
export function loggedInbound(sid: string, second: number, more: Record<string, unknown> = {}) {
  const customers = { direction: "inbound", from: ASKED.to, to: ASKED.from, body: "Hello" };
  return logged(sid, second, { ...customers, status: "received", ...more });
}

// Newest first, as Twilio lists them.
const LOG = [
  logged("SM9", 9, { status: "failed" }),
  loggedInbound("SM8", 8),
  logged("SM7", 7, { body: `${ASKED.body} ` }),
  logged("SM6", 6),
  loggedInbound("SM5", 6, { body: ASKED.body }),
  logged("SM4", 4, { status: "delivered" }),
];

const PATH = "/2010-04-01/Accounts/AC/Messages.json";

/** Answers with the messages in pages of `size`. */
export const pagesOf =
  (messages: unknown[], size: number): Answering =>
  (response, request) => {
    const page = Number(new URL(request.url ?? "", "http://double").searchParams.get("Page"));
    const next = (page + 1) * size < messages.length ? `${PATH}?Page=${page + 1}` : null;
    json(200, {
      messages: messages.slice(page * size, (page + 1) * size),
      next_page_uri: next,
      page_size: size,
    })(response);
  };

const BEHAVIOURS: Record<LogBehaviour, Answering> = {
  "has nothing": pagesOf([], 50),
  "tells all on one page": pagesOf(LOG, 50),
  "tells all over several pages": pagesOf(LOG, 2),
  "fails at a later page": (response: ServerResponse, request, count) =>
    (count === 1 ? pagesOf(LOG, 2) : json(503, { code: 20503 }))(response, request, count),
  "refuses the account": json(401, { code: 20003, message: "Authenticate" }),
  "limits the rate": json(429, { code: 20429 }, { "retry-after": "1" }),
  "is not there": () => {},
  "resets after reading": (_response, request) => request.socket.resetAndDestroy(),
  "never answers": () => {},
  "answers unreadably": text(200, "<h1>OK</h1>"),
};

/** What the conformance suite needs to know about Twilio's log. */
export function logFixtures(options: TwilioOptions): LogFixtures {
  return {
    asked: ASKED,
    accepted: ["SM4", "SM6", "SM9"],
    received: ["SM5", "SM8"],
    async against(behaviour) {
      const double = await openDouble(BEHAVIOURS[behaviour]);
      if (behaviour === "is not there") await double.close();
      return {
        channel: twilioChannel({
          ...options,
          apiBaseUrl: double.url,
          ...(behaviour === "never answers" && { attemptTimeoutMs: 300 }),
        }),
        requestCount: () => double.requests.length,
        close: () => double.close(),
      };
    },
  };
}
