import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { BoundedLog } from "./bounded-log.ts";
import { inboundParams, startSimulator } from "./index.ts";
import type { SentMessage, Simulator, WebhookResult } from "./index.ts";

const CUSTOMER = "+447123456789";
const BUSINESS = "+447987654321";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await simulator.close();
});

async function admin(method: string, path: string, body?: unknown) {
  const response = await fetch(simulator.url + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

async function create(body: string, to = CUSTOMER) {
  const credentials = btoa(`${simulator.accountSid}:${simulator.authToken}`);
  const path = `/2010-04-01/Accounts/${simulator.accountSid}/Messages.json`;
  const response = await fetch(simulator.twilioUrl + path, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ From: BUSINESS, To: to, Body: body }),
  });
  return response.status;
}

describe("waitForSent", () => {
  it("resolves with earlier and later texts that match, in order", async () => {
    await create("1");
    const both = simulator.waitForSent(2, { to: CUSTOMER });
    await create("not for them", "+447700900123");
    await create("2");
    expect((await both).map(({ body }) => body)).toEqual(["1", "2"]);
  });

  it("rejects with what it saw", async () => {
    await create("only this");
    await expect(simulator.waitForSent(2, {}, 20)).rejects.toThrow(/saw 1: [^]*only this/);
  });
});

describe("admin routes", () => {
  it("text the gateway and tell every request and the last answer", async () => {
    const { status, body } = await admin("POST", "/admin/text", {
      from: CUSTOMER,
      to: BUSINESS,
      body: "Hi",
      webhookUrl: `${simulator.url}/admin/unknown#rc=0`,
      fallbackUrl: `${simulator.url}/admin/unknown`,
    });
    expect(status).toBe(200);
    const { attempts, final } = body as WebhookResult;
    expect(attempts.map((attempt) => attempt.status)).toEqual([404, 404]);
    expect(final?.status).toBe(404);
  });

  it("name what is wrong with a request", async () => {
    const text = { from: CUSTOMER, to: BUSINESS, body: "Hi", webhookUrl: "http://h/#rc=9" };
    const fragment = await admin("POST", "/admin/text", text);
    expect(fragment).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining("rc=9") } },
    });
    const fault = await admin("PUT", "/admin/faults", { twilio: { kind: "explode" } });
    expect(fault.status).toBe(400);
  });

  it("switch faults on, show the logs, and reset all of it", async () => {
    expect(await admin("PUT", "/admin/faults", { twilio: { kind: "error", status: 503 } })).toEqual(
      { status: 200, body: {} },
    );
    expect(await create("refused")).toBe(503);
    await admin("POST", "/admin/reset");
    expect(await create("taken")).toBe(201);
    expect((await admin("GET", "/admin/sent")).body).toMatchObject([{ body: "taken" }]);
    expect((await admin("GET", "/admin/model-calls")).body).toEqual([]);
    await admin("POST", "/admin/reset");
    expect(simulator.sent()).toEqual([]);
  });

  it("stream each text as it is accepted", async () => {
    const response = await fetch(`${simulator.url}/admin/events`);
    await create("Müller & Söhne <24h>");
    const seen: string[] = [];
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      seen.push(chunk);
      if (chunk.includes("data: ")) break;
    }
    const data = /data: (.*)\n\n/.exec(seen.join(""))?.[1] ?? "";
    expect((JSON.parse(data) as SentMessage).body).toBe("Müller & Söhne <24h>");
  });

  it("stream each text that was refused under a name of its own, with the provider's code", async () => {
    const response = await fetch(`${simulator.url}/admin/events`);
    await create("taken");
    simulator.setFaults({ refusals: { [CUSTOMER]: 21610 } });
    await create("refused");
    let seen = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      seen += chunk;
      if (seen.includes("21610")) break;
    }
    const [, name, data = ""] = /data: .*taken.*\n\nevent: (.*)\ndata: (.*)\n\n/.exec(seen) ?? [];
    expect(name).toBe("refused");
    expect(JSON.parse(data)).toEqual({
      channel: "sms",
      from: BUSINESS,
      to: CUSTOMER,
      code: 21610,
      message: "Switched-on refusal",
    });
  });

  it.each([
    ["{", 400, "invalid_request", "not JSON"],
    ["", 400, "invalid_request", "it is empty"],
    ["x".repeat(5_000_000), 413, "too_large", "larger than 2000000 bytes"],
  ])("say that a body cannot be read (%#)", async (body, status, code, words) => {
    const response = await fetch(`${simulator.url}/admin/text`, { method: "POST", body });
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect({ status: response.status, code: error.code }).toEqual({ status, code });
    expect(error.message).toContain(words);
  });

  it("say what this is at the root", async () => {
    const response = await fetch(simulator.url);
    expect(await response.text()).toContain("POST /admin/text");
  });
});

describe("logs", () => {
  it("keep the newest entries and no more than their capacity", () => {
    const log = new BoundedLog<number>(3);
    for (let i = 0; i < 10; i++) log.append(String(i), i);
    expect(log.all()).toEqual([7, 8, 9]);
  });
});

describe("inboundParams", () => {
  it("has every parameter Twilio always sends, and lets a test change any", () => {
    const params = inboundParams({
      from: CUSTOMER,
      to: BUSINESS,
      body: "",
      sid: "SM1",
      accountSid: "AC1",
      extra: { MessagingServiceSid: "MG1", NumMedia: "1" },
    });
    expect(params).toMatchObject({
      MessageSid: "SM1",
      SmsSid: "SM1",
      SmsMessageSid: "SM1",
      AccountSid: "AC1",
      MessagingServiceSid: "MG1",
      From: CUSTOMER,
      To: BUSINESS,
      Body: "",
      NumMedia: "1",
      NumSegments: "1",
    });
  });
});
