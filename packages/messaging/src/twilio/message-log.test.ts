import { describe, expect, it } from "@jest/globals";
import type { ProviderLog } from "../channel.ts";
import { type Answering, json, openDouble } from "../testing/http-double.ts";
import { ASKED, logged, loggedInbound, pagesOf } from "../testing/twilio-log-double.ts";
import { twilioChannel } from "./twilio-channel.ts";

const ACCOUNT = `AC${"0".repeat(32)}`;
const never = new AbortController().signal;

async function open(answer: Answering) {
  const double = await openDouble(answer);
  const channel = twilioChannel({
    accountSid: ACCOUNT,
    authTokens: ["the token in use"],
    apiBaseUrl: double.url,
  });
  const queries = () =>
    double.requests.map(({ path }) => Object.fromEntries(new URL(path, double.url).searchParams));
  return { log: channel.log as ProviderLog, queries, url: double.url };
}

/** Answers by the filter: with DateSent, and without. */
const byFilter =
  (filtered: unknown[], unfiltered: unknown[]): Answering =>
  (response, request, count) =>
    pagesOf(/DateSent/.test(request.url ?? "") ? filtered : unfiltered, 50)(
      response,
      request,
      count,
    );

describe("what Twilio has accepted", () => {
  it("is asked by pair and time, and by pair alone, since a queued message has no time", async () => {
    const { log, queries } = await open(pagesOf([], 50));
    await log.accepted(ASKED, never);
    expect(queries()).toEqual([
      { From: ASKED.from, To: ASKED.to, "DateSent>": "2026-11-21T10:00:00Z", PageSize: "1000" },
      { From: ASKED.from, To: ASKED.to, PageSize: "50" },
    ]);
  });

  it("includes a queued message that the filter by time does not show", async () => {
    const queued = logged("SM2", 1, { status: "queued", date_sent: null });
    const { log } = await open(byFilter([], [queued, logged("SM1", -1)]));
    expect(await log.accepted(ASKED, never)).toEqual({ kind: "complete", found: ["SM2"] });
  });

  it("includes it also next to an older message with the same words", async () => {
    const older = logged("SM1", 0);
    const queued = logged("SM2", 1, { status: "queued", date_sent: null });
    const { log } = await open(byFilter([older], [queued, older]));
    expect(await log.accepted(ASKED, never)).toEqual({ kind: "complete", found: ["SM1", "SM2"] });
  });

  it("does not end at the newest page if that is all newer", async () => {
    const newer = Array.from({ length: 50 }, (_, index) => logged(`SM${index}`, 9, { body: "No" }));
    const { log } = await open(byFilter([], [...newer, logged("SM77", 1, { date_sent: null })]));
    expect(await log.accepted(ASKED, never)).toEqual({ kind: "complete", found: ["SM77"] });
  });

  it("does not reach further back than asked", async () => {
    const old = Array.from({ length: 120 }, (_, index) => logged(`SM${index}`, -1 - index));
    const { log, queries } = await open(byFilter([], old));
    expect(await log.accepted(ASKED, never)).toEqual({ kind: "complete", found: [] });
    expect(queries()).toHaveLength(2);
  });

  it("counts from the second on, since Twilio's times have no fractions", async () => {
    const { log } = await open(byFilter([logged("SM1", 0)], []));
    expect(await log.accepted(ASKED, never)).toEqual({ kind: "complete", found: ["SM1"] });
  });

  it.each(["queued", "sending", "delivered", "failed", "undelivered", "canceled"])(
    "includes what is %s by now",
    async (status) => {
      const { log } = await open(pagesOf([logged("SM1", 1, { status })], 50));
      expect(await log.accepted(ASKED, never)).toEqual({ kind: "complete", found: ["SM1"] });
    },
  );

  it.each([
    ["another text", { body: "We are on our way" }],
    ["no text", { body: null }],
    ["the customer's own text", { direction: "inbound" }],
  ])("does not include %s", async (_name, more) => {
    const { log } = await open(pagesOf([logged("SM1", 1, more)], 50));
    expect(await log.accepted(ASKED, never)).toEqual({ kind: "complete", found: [] });
  });
});

describe("what Twilio has received", () => {
  it("is asked for all numbers by time", async () => {
    const { log, queries } = await open(pagesOf([], 50));
    await log.received(ASKED.since, never);
    expect(queries()).toEqual([{ "DateSent>": "2026-11-21T10:00:00Z", PageSize: "1000" }]);
  });

  it("reads as the webhook would have", async () => {
    const entry = loggedInbound("SM1", 3, { body: "a\0b “ü” 🔧", from: " 447700900123" });
    const { log } = await open(pagesOf([entry], 50));
    expect(await log.received(ASKED.since, never)).toEqual({
      kind: "complete",
      found: [
        {
          channel: "sms",
          provider: "twilio",
          providerMessageId: "SM1",
          accountId: ACCOUNT,
          from: "+447700900123",
          to: "+441632960001",
          body: "ab “ü” 🔧",
          media: [],
          receivedAt: new Date("2026-11-21T10:00:03Z"),
        },
      ],
    });
  });

  it("names where the pictures of a message are", async () => {
    const entry = loggedInbound("MM1", 1, { body: "", num_media: "2" });
    const { log, url } = await open(pagesOf([entry], 50));
    expect(await log.received(ASKED.since, never)).toMatchObject({
      found: [
        {
          body: "",
          media: [{ url: `${url}/2010-04-01/Accounts/${ACCOUNT}/Messages/MM1/Media.json` }],
        },
      ],
    });
  });

  it("goes by the time of creation when there is no other", async () => {
    const { log } = await open(pagesOf([loggedInbound("SM1", 2, { date_sent: null })], 50));
    expect(await log.received(ASKED.since, never)).toMatchObject({
      found: [{ receivedAt: new Date("2026-11-21T10:00:02Z") }],
    });
  });

  it("leaves out what cannot be read, and nothing else", async () => {
    const entries = [
      loggedInbound("SM4", 4, { from: null }),
      loggedInbound("SM3", 3, { to: "?" }),
      loggedInbound("SM2", 2),
      logged("SM1", 1),
    ];
    const { log } = await open(pagesOf(entries, 50));
    expect(await log.received(ASKED.since, never)).toMatchObject({
      kind: "complete",
      found: [{ providerMessageId: "SM2" }],
    });
  });
});

describe("a failed look into Twilio's log", () => {
  it.each([
    ["20003", json(401, { code: 20003, message: "Authenticate" })],
    ["http-503", json(503, {})],
    ["unreadable", json(200, { surprise: true })],
    ["unreadable", json(200, { messages: [{ body: "no id" }] })],
  ])("is named %s", async (code, answer) => {
    const { log } = await open(answer);
    expect(await log.received(ASKED.since, never)).toEqual({ kind: "failed", code });
  });
});
