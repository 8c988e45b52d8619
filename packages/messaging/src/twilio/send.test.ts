import { getEventListeners } from "node:events";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, it } from "@jest/globals";
import type { Channel, OutboundMessage, SendOutcome } from "../channel.ts";
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
const options = { accountSid: ACCOUNT, authTokens: [TOKEN, "another"] };
// Only for doubles that never finish an answer: a loaded machine may take that long for any other.
const HASTY = { attemptTimeoutMs: 300 };

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
    expect(await send(silent.url, OUTBOUND, HASTY)).toEqual({ kind: "unknown", code: "timeout" });
    expect(await send(resetting.url)).toEqual({ kind: "unknown", code: "reset" });
    expect(await send(cutOff.url)).toMatchObject({ kind: "unknown" });
  });

  it("leaves nothing behind on a signal that outlives it", async () => {
    const double = await openDouble(acceptance);
    const { signal } = new AbortController();
    const one = twilioChannel({ ...options, apiBaseUrl: double.url });
    const sending = one.send(OUTBOUND, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await sending;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("limits the whole attempt, however slowly an answer trickles in", async () => {
    const double = await openDouble((response) => {
      response.writeHead(201, { "content-type": "application/json" });
      const drip = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(drip));
    });
    expect(await send(double.url, OUTBOUND, HASTY)).toEqual({ kind: "unknown", code: "timeout" });
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

  it("has all sends of a batch on their way at once", async () => {
    const join = meetingOf(64);
    const double = await openDouble((response) => join(() => acceptance(response)));
    const one = twilioChannel({ ...options, apiBaseUrl: double.url });
    const outcomes = await batch(one);
    expect(outcomes.every(({ kind }) => kind === "accepted")).toBe(true);
  });

  it("opens a connection for each send of a batch, and does not make one wait for another", async () => {
    // Speaks no TLS: a connection counts from its first byte on, and then hangs up.
    const join = meetingOf(64);
    const server = createTcpServer((socket) => {
      socket.once("data", () => join(() => socket.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const one = twilioChannel({ ...options, apiBaseUrl: `https://127.0.0.1:${port}` });
    const outcomes = await batch(one);
    server.close();
    expect(outcomes.every(({ kind }) => kind === "unavailable")).toBe(true);
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

/** Lets nobody go on before `size` have come. */
function meetingOf(size: number): (goOn: () => void) => void {
  const waiting: (() => void)[] = [];
  return (goOn) => {
    waiting.push(goOn);
    if (waiting.length === size) for (const next of waiting) next();
  };
}

function batch(channel: Channel): Promise<SendOutcome[]> {
  const { signal } = new AbortController();
  return Promise.all(Array.from({ length: 64 }, () => channel.send(OUTBOUND, signal)));
}
