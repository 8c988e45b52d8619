import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, it } from "@jest/globals";
import type { OutboundMessage, SendOutcome } from "../channel.ts";
import { sendWithRetry } from "../retry.ts";
import { json, openDouble, text } from "../testing/http-double.ts";
import { twilioChannel } from "./twilio-channel.ts";

const ACCOUNT = `AC${"0".repeat(32)}`;
const TOKEN = "the token in use";
const OUTBOUND: OutboundMessage = {
  id: "0192f0c1-7a3b-7000-8000-000000000001",
  from: "+441632960001",
  to: "+447700900123",
  body: "We are on our way, Müller & Söhne",
};
const options = { accountSid: ACCOUNT, authTokens: [TOKEN, "another"], attemptTimeoutMs: 300 };

const refusal = (status: number, code: number) =>
  json(status, { code, message: "refused", status });
const acceptance = json(201, { sid: `SM${"a".repeat(32)}`, status: "queued" });

describe("sending through Twilio", () => {
  const send = (url: string, message = OUTBOUND, more = {}): Promise<SendOutcome> =>
    twilioChannel({ ...options, apiBaseUrl: url, ...more }).send(
      message,
      new AbortController().signal,
    );

  it("hands over number, text, validity and our own id", async () => {
    const double = await openDouble(acceptance);
    const outcome = await send(
      double.url,
      { ...OUTBOUND, validitySeconds: 899.5 },
      {
        statusCallbackUrl: "https://gateway.example/api/twilio/message-status",
      },
    );
    expect(outcome).toEqual({ kind: "accepted", providerId: `SM${"a".repeat(32)}` });
    expect(double.requests).toHaveLength(1);
    const { path, authorization, form } = double.requests[0]!;
    expect(path).toBe(`/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
    expect(authorization).toBe(`Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString("base64")}`);
    expect(Object.fromEntries(form)).toEqual({
      From: OUTBOUND.from,
      To: OUTBOUND.to,
      Body: OUTBOUND.body,
      StatusCallback: `https://gateway.example/api/twilio/message-status?m=${OUTBOUND.id}`,
      ValidityPeriod: "900",
    });
  });

  const rejected = (scope: string) => ({ kind: "rejected", scope });
  const table: [Record<string, unknown>, number[]][] = [
    [{ kind: "unavailable" }, [20429, 20503, 21611, 30001, 30003, 30022, 30023, 63018]],
    [{ kind: "unknown" }, [20500, 30008, 30047, 30410]],
    [rejected("opt-out"), [21610]],
    [rejected("recipient"), [21211, 21217, 21604, 21612, 21614, 21635, 30004, 30005, 30006, 63014]],
    [
      rejected("account"),
      [20003, 20005, 21212, 21408, 21603, 21606, 21608, 21609, 21703, 21704, 21705].concat([
        30002, 30024, 30034, 30035, 30610, 30640,
      ]),
    ],
    [rejected("content"), [21602, 21617, 21619, 21620, 21623, 30007]],
    [rejected("other"), [63016, 99999]],
  ];
  const codes = table.flatMap(([expected, list]) => list.map((code) => ({ code, expected })));

  it.each(codes)("the error $code means $expected", async ({ code, expected }) => {
    const double = await openDouble(refusal(400, code));
    expect(await send(double.url)).toEqual({ ...expected, code: String(code) });
  });

  it("believes the error code before the HTTP status", async () => {
    const double = await openDouble(refusal(500, 21211));
    expect(await send(double.url)).toMatchObject({ kind: "rejected", scope: "recipient" });
  });

  it.each([
    [401, { kind: "rejected", scope: "account", code: "http-401" }],
    [404, { kind: "rejected", scope: "other", code: "http-404" }],
    [429, { kind: "unavailable", code: "http-429" }],
    [500, { kind: "unknown", code: "http-500" }],
    [502, { kind: "unknown", code: "http-502" }],
    [503, { kind: "unknown", code: "http-503" }],
    [504, { kind: "unknown", code: "http-504" }],
    [302, { kind: "unknown", code: "http-302" }],
  ])("a bare HTTP %i means %j", async (status, expected) => {
    const double = await openDouble(text(status, "<h1>Sorry</h1>"));
    expect(await send(double.url)).toEqual(expected);
  });

  it.each([
    ["empty", text(201, "")],
    ["null", json(201, null)],
    ["without an id", json(201, { status: "queued" })],
    ["half a document", text(201, '{"sid":"SM')],
  ])("an acceptance that is %s is unknown", async (_name, answer) => {
    const double = await openDouble(answer);
    expect(await send(double.url)).toEqual({ kind: "unknown", code: "unreadable-201" });
  });

  it("names the cause when no answer came", async () => {
    const silent = await openDouble(() => {});
    const resetting = await openDouble((_response, request) => request.socket.resetAndDestroy());
    const cutOff = await openDouble((response) => {
      response.writeHead(201, { "content-length": "100" });
      response.write('{"sid":', () => response.destroy());
    });
    expect(await send(silent.url)).toEqual({ kind: "unknown", code: "timeout" });
    expect(await send(resetting.url)).toEqual({ kind: "unknown", code: "reset" });
    expect(await send(cutOff.url)).toMatchObject({ kind: "unknown" });
  });

  it("limits the whole attempt, however slowly an answer trickles in", async () => {
    const double = await openDouble((response) => {
      response.writeHead(201, { "content-type": "application/json" });
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
    });
    expect(await send(double.url)).toEqual({ kind: "unknown", code: "timeout" });
  });

  it("knows that nothing was sent when there is no connection", async () => {
    const plain = await openDouble(acceptance);
    const hangingUp = createTcpServer((socket) => socket.once("data", () => socket.destroy()));
    await new Promise<void>((resolve) => hangingUp.listen(0, "127.0.0.1", resolve));
    const { port } = hangingUp.address() as AddressInfo;
    const interrupted = await send(`https://127.0.0.1:${port}`);
    hangingUp.close();
    expect(interrupted).toMatchObject({ kind: "unavailable", code: "econnreset" });
    expect(await send("http://gateway.invalid")).toMatchObject({ kind: "unavailable" });
    expect(await send("http://127.0.0.1:1")).toMatchObject({
      kind: "unavailable",
      code: "econnrefused",
    });
    expect(await send(plain.url.replace("http:", "https:"))).toMatchObject({ kind: "unavailable" });
  });

  it("keeps each answer's Retry-After with its own message", async () => {
    const double = await openDouble((response, _request, count) =>
      json(429, { code: 20429 }, count % 2 ? { "retry-after": String(count) } : {})(response),
    );
    const one = twilioChannel({ ...options, apiBaseUrl: double.url });
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, () => one.send(OUTBOUND, new AbortController().signal)),
    );
    const waits = outcomes.map((outcome) => "retryAfterMs" in outcome && outcome.retryAfterMs);
    expect(waits.toSorted()).toEqual([1000, 3000, false, false]);
  });

  it("reads a Retry-After that is a date", async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const double = await openDouble(json(429, {}, { "retry-after": date }));
    const outcome = await send(double.url);
    expect(outcome).toMatchObject({ kind: "unavailable" });
    const { retryAfterMs } = outcome as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(30_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it("is accepted on the second attempt after a refused one, and sent once", async () => {
    const double = await openDouble((response, _request, count) =>
      (count === 1 ? refusal(503, 20503) : acceptance)(response),
    );
    const one = twilioChannel({ ...options, apiBaseUrl: double.url });
    const signal = new AbortController().signal;
    const outcome = await sendWithRetry(one, OUTBOUND, { signal, delaysMs: [1, 1, 1] });
    expect(outcome).toMatchObject({ kind: "accepted" });
    expect(double.requests).toHaveLength(2);
  });
});
