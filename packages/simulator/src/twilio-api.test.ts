import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import { startSimulator } from "./index.ts";
import type { Simulator } from "./index.ts";
import { openServer } from "./testing/open-server.ts";

const CUSTOMER = "+447123456789";
const BUSINESS = "+447987654321";
const NOWHERE = "http://127.0.0.1:9/sms#rc=0";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await simulator.close();
});

function client(authToken = simulator.authToken, timeout = 20_000) {
  const sdk = twilio(simulator.accountSid, authToken, { timeout });
  sdk.api.baseUrl = simulator.twilioUrl;
  return sdk;
}

const create = (body = "Hello", to = CUSTOMER, by = client()) =>
  by.messages.create({ from: BUSINESS, to, body });
const receive = (body: string, sid?: string) =>
  simulator.text({
    from: CUSTOMER,
    to: BUSINESS,
    body,
    webhookUrl: NOWHERE,
    ...(sid === undefined ? {} : { sid }),
  });

const day = (offset: number) =>
  new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

describe("create", () => {
  it("accepts a text as queued, with an id, and shows it as sent", async () => {
    const message = await client().messages.create({
      from: BUSINESS,
      to: CUSTOMER,
      body: "Müller & Söhne <24h>",
      statusCallback: "http://127.0.0.1:9/status?m=1",
      validityPeriod: 600,
    });
    expect(message).toMatchObject({ status: "queued", sid: expect.stringMatching(/^SM\w{32}$/) });
    expect(simulator.sent()).toEqual([
      {
        sid: message.sid,
        from: BUSINESS,
        to: CUSTOMER,
        body: "Müller & Söhne <24h>",
        statusCallback: "http://127.0.0.1:9/status?m=1",
        validityPeriod: 600,
        at: expect.any(Number),
      },
    ]);
  });

  it("refuses a wrong token with 20003", async () => {
    const wrong = client("0".repeat(32)).messages.create({
      from: BUSINESS,
      to: CUSTOMER,
      body: "x",
    });
    await expect(wrong).rejects.toMatchObject({ status: 401, code: 20003 });
    expect(simulator.sent()).toEqual([]);
  });

  it.each([
    { what: "an unparsable recipient", to: "12", body: "x", code: 21211 },
    { what: "an empty body", to: CUSTOMER, body: "", code: 21602 },
    { what: "1,601 characters", to: CUSTOMER, body: "x".repeat(1601), code: 21617 },
  ])("refuses $what with $code", async ({ to, body, code }) => {
    await expect(create(body, to)).rejects.toMatchObject({ status: 400, code });
  });

  it("refuses a person who texted STOP with 21610, until START", async () => {
    await receive("stop");
    await expect(create()).rejects.toMatchObject({ status: 400, code: 21610 });
    await receive("START");
    await expect(create()).resolves.toMatchObject({ status: "queued" });
  });
});

describe("a redelivered inbound text", () => {
  it("does not repeat an opt-out that was taken back since", async () => {
    const stop = `SM${"2".repeat(32)}`;
    await receive("STOP", stop);
    await receive("START");
    await receive("STOP", stop);
    await expect(create()).resolves.toMatchObject({ status: "queued" });
  });
});

describe("faults", () => {
  it("accept-then-reset: the text is sent and the client cannot know", async () => {
    simulator.setFaults({ twilio: { kind: "accept-then-reset", times: 1 } });
    await expect(create("once")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(simulator.sent()).toMatchObject([{ body: "once" }]);
    await expect(create("twice")).resolves.toMatchObject({ status: "queued" });
  });

  it("reset: nothing is sent", async () => {
    simulator.setFaults({ twilio: { kind: "reset" } });
    await expect(create()).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(simulator.sent()).toEqual([]);
  });

  it("accept-then-hang: the text is sent and the client times out", async () => {
    simulator.setFaults({ twilio: { kind: "accept-then-hang" } });
    const hasty = client(simulator.authToken, 1000);
    const creating = create("once", CUSTOMER, hasty);
    await expect(creating).rejects.toMatchObject({ code: "ECONNABORTED" });
    expect(simulator.sent()).toHaveLength(1);
  });

  it("garbage-201: the text is sent and the answer is not JSON", async () => {
    simulator.setFaults({ twilio: { kind: "garbage-201" } });
    await expect(create()).rejects.toThrow(SyntaxError);
    expect(simulator.sent()).toHaveLength(1);
  });

  it("error: refused unprocessed, with Retry-After, as often as asked", async () => {
    simulator.setFaults({
      twilio: { kind: "error", status: 429, retryAfterSeconds: 7, times: 2 },
    });
    const credentials = btoa(`${simulator.accountSid}:${simulator.authToken}`);
    const path = `/2010-04-01/Accounts/${simulator.accountSid}/Messages.json`;
    const response = await fetch(simulator.twilioUrl + path, {
      method: "POST",
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ From: BUSINESS, To: CUSTOMER, Body: "x" }),
    });
    expect(response.headers.get("retry-after")).toBe("7");
    await expect(create()).rejects.toMatchObject({ status: 429, code: 20429 });
    expect(simulator.sent()).toEqual([]);
    await expect(create()).resolves.toMatchObject({ status: "queued" });
  });
});

describe("list and fetch", () => {
  it("lists both directions, newest first, over pages that new texts do not shift", async () => {
    for (const body of ["1", "2", "3"]) await create(body);
    await receive("4");
    const { messages } = client();
    const first = await messages.page({ pageSize: 2 });
    await create("5");
    const second = await first.nextPage();
    const bodies = [first, second].map((page) => page?.instances.map(({ body }) => body));
    expect(bodies).toEqual([
      ["4", "3"],
      ["2", "1"],
    ]);
    expect(second?.nextPageUrl).toBeFalsy();
  });

  it("lists the inbound texts of a number since a time, and a redelivered one once", async () => {
    await receive("Help", `SM${"1".repeat(32)}`);
    await receive("Help", `SM${"1".repeat(32)}`);
    await create();
    const { messages } = client();
    const minute = 60_000;
    const since = await messages.list({
      to: BUSINESS,
      dateSentAfter: new Date(Date.now() - minute),
    });
    expect(since).toMatchObject([{ body: "Help", direction: "inbound", status: "received" }]);
    expect(await messages.list({ dateSentAfter: new Date(Date.now() + minute) })).toEqual([]);
    expect(await messages.list({ dateSentBefore: new Date(Date.now() - minute) })).toEqual([]);
  });

  it("understands a DateSent>= that the client encoded whole, as a day", async () => {
    await create();
    const credentials = btoa(`${simulator.accountSid}:${simulator.authToken}`);
    const list = async (since: string) => {
      const path = `/2010-04-01/Accounts/${simulator.accountSid}/Messages.json`;
      const query = new URLSearchParams({ "DateSent>=": since });
      const response = await fetch(`${simulator.twilioUrl}${path}?${query}`, {
        headers: { authorization: `Basic ${credentials}` },
      });
      return ((await response.json()) as { messages: unknown[] }).messages.length;
    };
    expect(await list(day(-1))).toBe(1);
    expect(await list(day(1))).toBe(0);
  });

  it("fetches one by its id and answers 404 for an unknown one", async () => {
    const { sid } = await create("find me");
    expect(await client().messages(sid).fetch()).toMatchObject({ body: "find me" });
    const unknown = client()
      .messages(`SM${"0".repeat(32)}`)
      .fetch();
    await expect(unknown).rejects.toMatchObject({ status: 404, code: 20404 });
  });
});

describe("receipts", () => {
  it("posts sent, then delivered, signed, to the StatusCallback", async () => {
    const received: { status: string | undefined; valid: boolean }[] = [];
    const both = Promise.withResolvers<void>();
    const onReceipt = async (request: IncomingMessage, response: ServerResponse) => {
      const params = Object.fromEntries(new URLSearchParams(await text(request)));
      const signature = String(request.headers["x-twilio-signature"]);
      const valid = twilio.validateRequest(simulator.authToken, signature, statusUrl, params);
      received.push({ status: params["MessageStatus"], valid });
      response.writeHead(204).end();
      if (received.length === 2) both.resolve();
    };
    const server = await openServer(onReceipt);
    const statusUrl = `${server.url}/status?m=42`;

    simulator.setFaults({ receipts: true });
    await client().messages.create({
      from: BUSINESS,
      to: CUSTOMER,
      body: "Hello",
      statusCallback: statusUrl,
    });
    await both.promise;
    server.close();
    expect(received).toEqual([
      { status: "sent", valid: true },
      { status: "delivered", valid: true },
    ]);
  });
});
