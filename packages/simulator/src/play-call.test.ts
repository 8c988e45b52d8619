import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import { startSimulator } from "./index.ts";
import type { CallOutcome, PersonCall, Simulator } from "./index.ts";
import { openServer, type TestServer } from "./testing/open-server.ts";

const CALLER = "+447123456789";
const BUSINESS = "+447987654321";
const OPERATOR = "+447700900123";
const NOTICE = "<Response><Say>We are &lt;out&gt; &amp; about.</Say><Hangup/></Response>";
const DIAL = `<Response><Dial answerOnBridge="true" timeout="18" action="/dial-result?x=1"><Number>${OPERATOR}</Number></Dial></Response>`;

interface Received {
  path: string;
  params: Record<string, string>;
  signature: string;
}

let simulator: Simulator;
let gateway: TestServer & { received: Received[]; answers: Record<string, string> };

/** Answers each path with its TwiML; a path without one with a 500. */
async function startGateway(): Promise<typeof gateway> {
  const received: Received[] = [];
  const answers: Record<string, string> = { "/status": "<Response/>" };
  const server = await openServer(async (request, response) => {
    const params = Object.fromEntries(new URLSearchParams(await text(request)));
    const path = request.url ?? "";
    received.push({ path, params, signature: String(request.headers["x-twilio-signature"]) });
    const body = answers[path];
    response.writeHead(body === undefined ? 500 : 200, { "content-type": "text/xml" }).end(body);
  });
  return { ...server, received, answers };
}

beforeEach(async () => {
  simulator = await startSimulator({ numbers: [BUSINESS] });
  gateway = await startGateway();
  simulator.addNumber(BUSINESS, {
    voiceUrl: `${gateway.url}/voice#rc=0`,
    statusCallback: `${gateway.url}/status`,
  });
});

afterEach(async () => {
  await simulator.close();
  gateway.close();
});

const call = (outcome: CallOutcome, more: Partial<PersonCall> = {}) =>
  simulator.call({ from: CALLER, to: BUSINESS, outcome, ...more });
const paths = () => gateway.received.map(({ path }) => path);

describe("a number that answers with a notice", () => {
  it("ends completed, though nobody was reached, and the caller hears the notice", async () => {
    gateway.answers["/voice"] = NOTICE;
    const result = await call("no-answer");
    expect(result).toMatchObject({
      sid: expect.stringMatching(/^CA[0-9a-f]{32}$/),
      status: "completed",
      said: ["We are <out> & about."],
      dialled: null,
      requests: [
        { url: `${gateway.url}/voice`, status: 200, contentType: "text/xml", body: NOTICE },
        { url: `${gateway.url}/status`, status: 200 },
      ],
    });
    const [voice, status] = gateway.received.map(({ params }) => params);
    const same = { CallSid: result.sid, From: CALLER, To: BUSINESS, Direction: "inbound" };
    expect(voice).toMatchObject({ ...same, CallStatus: "ringing" });
    expect(voice).not.toHaveProperty("CallDuration");
    expect(status).toMatchObject({ ...same, CallStatus: "completed", CallDuration: "9" });
  });

  it("is heard before the end of the call is told", async () => {
    gateway.answers["/voice"] = NOTICE;
    const told: string[][] = [];
    await call("no-answer", { onSaid: () => told.push(paths()) });
    expect(told).toEqual([["/voice"]]);
  });

  it("says nothing to a caller who hangs up first", async () => {
    gateway.answers["/voice"] = NOTICE;
    const result = await call("canceled");
    expect(result).toMatchObject({ status: "canceled", said: [] });
    expect(gateway.received[1]?.params).toMatchObject({
      CallStatus: "canceled",
      CallDuration: "0",
    });
  });

  it.each([
    { reject: `<Reject reason="busy"/>`, status: "busy" },
    { reject: "<Reject/>", status: "no-answer" },
  ])("ends $status when its TwiML is $reject", async ({ reject, status }) => {
    gateway.answers["/voice"] = `<Response>${reject}<Say>unheard</Say></Response>`;
    expect(await call("completed")).toMatchObject({ status, said: [] });
  });

  it("tells the caller of an error when the TwiML cannot be had or read", async () => {
    const error = { status: "completed", said: [expect.stringContaining("application error")] };
    expect(await call("no-answer")).toMatchObject(error);
    gateway.answers["/voice"] = "<Response><Say></Response>";
    expect(await call("no-answer")).toMatchObject(error);
  });

  it("refuses a verb it cannot play, rather than leave it out", async () => {
    gateway.answers["/voice"] = "<Response><Gather/></Response>";
    await expect(call("no-answer")).rejects.toThrow("does not play <Gather>");
  });
});

describe("a number that rings the operator", () => {
  it.each([
    { outcome: "no-answer", dial: "no-answer", status: "completed" },
    { outcome: "busy", dial: "busy", status: "completed" },
    { outcome: "failed", dial: "failed", status: "completed" },
    { outcome: "completed", dial: "completed", status: "completed" },
    { outcome: "answered-by-operator", dial: "completed", status: "completed" },
    { outcome: "canceled", dial: "canceled", status: "canceled" },
  ] as const)("tells the action: $outcome is $dial", async ({ outcome, dial, status }) => {
    gateway.answers["/voice"] = DIAL;
    gateway.answers["/dial-result?x=1"] = NOTICE;
    const result = await call(outcome);
    expect(result).toMatchObject({ status, dialled: OPERATOR });
    expect(result.said).toHaveLength(outcome === "canceled" ? 0 : 1);
    expect(paths()).toEqual(["/voice", "/dial-result?x=1", "/status"]);
    const action = gateway.received[1]?.params;
    expect(action).toMatchObject({
      CallSid: result.sid,
      DialCallSid: expect.stringMatching(/^CA[0-9a-f]{32}$/),
      DialCallStatus: dial,
      DialBridged: String(dial === "completed"),
    });
    expect(action?.["DialCallSid"]).not.toBe(result.sid);
  });

  it("ends no-answer when the phone rang in vain and nothing was said", async () => {
    gateway.answers["/voice"] = DIAL;
    gateway.answers["/dial-result?x=1"] = "<Response/>";
    expect(await call("busy")).toMatchObject({ status: "no-answer", said: [] });
  });

  it("does not follow for ever a result that rings again", async () => {
    gateway.answers["/voice"] = gateway.answers["/dial-result?x=1"] = DIAL;
    await expect(call("no-answer")).rejects.toThrow("round in circles");
  });
});

describe("the requests of a call", () => {
  it("are signed, the action with its query", async () => {
    gateway.answers["/voice"] = DIAL;
    gateway.answers["/dial-result?x=1"] = NOTICE;
    await call("no-answer");
    expect(gateway.received).toHaveLength(3);
    for (const { path, params, signature } of gateway.received) {
      const url = gateway.url + path;
      expect(twilio.validateRequest(simulator.authToken, signature, url, params)).toBe(true);
    }
  });

  it("tell the statuses asked for, in that order, under one id", async () => {
    gateway.answers["/voice"] = NOTICE;
    const statusCallbacks = ["completed", "ringing", "completed", "in-progress"] as const;
    await call("no-answer", { sid: "CA1", statusCallbacks: [...statusCallbacks] });
    const told = gateway.received.filter(({ path }) => path === "/status");
    expect(told.map(({ params }) => params["CallStatus"])).toEqual(statusCallbacks);
    expect(new Set(told.map(({ params }) => params["CallSid"]))).toEqual(new Set(["CA1"]));
    expect(told.map(({ params }) => params["SequenceNumber"])).toEqual(["3", "1", "3", "2"]);
  });

  it("go to the URLs given instead, of any caller and with any parameter", async () => {
    const statusUrl = `${gateway.url}/status`;
    const extra = { ParentCallSid: "CA0" };
    const result = await call("busy", { from: "anonymous", to: "+15550100", statusUrl, extra });
    expect(result).toMatchObject({ status: "busy", said: [], dialled: null });
    expect(gateway.received.map(({ path, params }) => ({ path, ...params }))).toMatchObject([
      { path: "/status", From: "anonymous", To: "+15550100", CallStatus: "busy", ...extra },
    ]);
  });

  it("name what is missing when the number is not provisioned", async () => {
    await expect(call("busy", { to: "+447987654322" })).rejects.toThrow("not a number of the");
    simulator.addNumber("+447987654322");
    await expect(call("busy", { to: "+447987654322" })).rejects.toThrow("provision it");
  });

  it("are not made while webhooks are lost", async () => {
    simulator.setFaults({ webhooks: "lost" });
    expect(await call("no-answer")).toMatchObject({ requests: [], status: "no-answer" });
    expect(gateway.received).toEqual([]);
  });
});

describe("POST /admin/call", () => {
  const admin = async (body: unknown) => {
    const options = { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${simulator.url}/admin/call`, options);
    return { status: response.status, body: (await response.json()) as unknown };
  };

  it("plays a call and tells what happened", async () => {
    gateway.answers["/voice"] = NOTICE;
    const asked = { from: CALLER, to: BUSINESS, outcome: "no-answer" };
    expect(await admin(asked)).toMatchObject({
      status: 200,
      body: { status: "completed", said: ["We are <out> & about."], requests: [{}, {}] },
    });
  });

  it("names the outcomes there are", async () => {
    expect(await admin({ from: CALLER, to: BUSINESS, outcome: "missed" })).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining("answered-by-operator") } },
    });
  });
});
