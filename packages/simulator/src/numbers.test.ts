import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import { startSimulator } from "./index.ts";
import type { Simulator } from "./index.ts";
import { openServer, type TestServer } from "./testing/open-server.ts";

const CUSTOMER = "+447123456789";
const BUSINESS = "+447987654321";
const OTHER = "+447987654322";
const SMS = "https://gateway.example/sms#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000";
const FALLBACK = "https://gateway.example/sms/fallback";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ numbers: [BUSINESS, OTHER] });
});

afterEach(async () => {
  await simulator.close();
});

function client() {
  const sdk = twilio(simulator.accountSid, simulator.authToken);
  sdk.api.baseUrl = simulator.twilioUrl;
  return sdk;
}

const sidOf = (phoneNumber: string) =>
  simulator.numbers().find((number) => number.phoneNumber === phoneNumber)?.sid ?? "";
const update = (changed: Record<string, string>) =>
  client().incomingPhoneNumbers(sidOf(BUSINESS)).update(changed);

describe("the account", () => {
  it("is active", async () => {
    const account = await client().api.v2010.accounts(simulator.accountSid).fetch();
    expect(account).toMatchObject({ sid: simulator.accountSid, status: "active" });
  });
});

describe("incoming phone numbers", () => {
  it("are listed with their webhooks unset, over pages", async () => {
    const numbers = await client().incomingPhoneNumbers.list({ pageSize: 1 });
    expect(numbers.map(({ phoneNumber }) => phoneNumber)).toEqual([BUSINESS, OTHER]);
    expect(numbers[0]).toMatchObject({
      sid: expect.stringMatching(/^PN[0-9a-f]{32}$/),
      smsUrl: "",
      smsMethod: "POST",
      voiceUrl: "",
      capabilities: { sms: true },
    });
  });

  it.each([
    { phoneNumber: OTHER, found: [OTHER] },
    { phoneNumber: "+4479876543*2", found: [OTHER] },
    { phoneNumber: "987654", found: [BUSINESS, OTHER] },
    { phoneNumber: "+447000000000", found: [] },
  ])("are found by $phoneNumber", async ({ phoneNumber, found }) => {
    const numbers = await client().incomingPhoneNumbers.list({ phoneNumber });
    expect(numbers.map((number) => number.phoneNumber)).toEqual(found);
  });

  it("take every setting, and keep those a later update does not name", async () => {
    const settings = {
      smsUrl: SMS,
      smsMethod: "POST",
      smsFallbackUrl: FALLBACK,
      smsFallbackMethod: "POST",
      voiceUrl: "https://gateway.example/voice",
      voiceMethod: "POST",
      statusCallback: "https://gateway.example/voice/status",
      statusCallbackMethod: "GET",
      smsApplicationSid: "AP1",
      voiceApplicationSid: "AP2",
    };
    await update(settings);
    await update({ smsApplicationSid: "" });
    const expected = { ...settings, smsApplicationSid: "" };
    expect(await client().incomingPhoneNumbers(sidOf(BUSINESS)).fetch()).toMatchObject(expected);
    expect(simulator.numbers()[0]).toMatchObject(expected);
    expect(simulator.numbers()[1]?.smsUrl).toBe("");
  });

  it.each<{ what: string; changed: Record<string, string>; code: number }>([
    { what: "a fallback without an SmsUrl", changed: { smsFallbackUrl: FALLBACK }, code: 21406 },
    { what: "a relative URL", changed: { smsUrl: "/sms" }, code: 21502 },
    { what: "another protocol", changed: { voiceUrl: "ftp://gateway.example/" }, code: 21502 },
    { what: "an unknown policy", changed: { smsUrl: "https://h/#rp=500" }, code: 11243 },
    { what: "a value out of range", changed: { smsUrl: "https://h/#tt=20000" }, code: 11243 },
    { what: "an unknown method", changed: { smsMethod: "PUT" }, code: 21403 },
  ])("refuse $what with $code and change nothing", async ({ changed, code }) => {
    const before = simulator.numbers();
    const refused = update({ statusCallback: "https://gateway.example/ok", ...changed });
    await expect(refused).rejects.toMatchObject({ status: 400, code });
    expect(simulator.numbers()).toEqual(before);
    expect(() => simulator.addNumber(BUSINESS, changed)).toThrow(RangeError);
  });

  it("refuse to lose the SmsUrl below a fallback", async () => {
    await update({ smsUrl: SMS, smsFallbackUrl: FALLBACK });
    await expect(update({ smsUrl: "" })).rejects.toMatchObject({ code: 21406 });
  });

  it("answer 404 for an unknown one, and 401 for a wrong token", async () => {
    const unknown = client().incomingPhoneNumbers(`PN${"0".repeat(32)}`);
    await expect(unknown.fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
    await expect(unknown.update({})).rejects.toMatchObject({ status: 404 });
    const stranger = twilio(simulator.accountSid, "0".repeat(32));
    stranger.api.baseUrl = simulator.twilioUrl;
    await expect(stranger.incomingPhoneNumbers.list()).rejects.toMatchObject({ code: 20003 });
  });

  it("survive a reset with their webhooks", async () => {
    await update({ smsUrl: SMS });
    simulator.reset();
    expect(simulator.numbers()).toMatchObject([{ smsUrl: SMS }, { phoneNumber: OTHER }]);
  });
});

describe("addNumber", () => {
  it("changes one that is there instead of adding it twice", () => {
    const sid = sidOf(BUSINESS);
    expect(simulator.addNumber(BUSINESS, { smsUrl: SMS })).toMatchObject({ sid, smsUrl: SMS });
    expect(simulator.numbers()).toHaveLength(2);
  });

  it("refuses what is no number", () => {
    expect(() => simulator.addNumber("12")).toThrow("21421");
  });
});

describe("/admin/numbers", () => {
  const post = (body: unknown) =>
    fetch(`${simulator.url}/admin/numbers`, { method: "POST", body: JSON.stringify(body) });

  it("adds, changes and shows numbers", async () => {
    const phoneNumber = "+447987654323";
    expect((await post({ phoneNumber, smsUrl: SMS })).status).toBe(200);
    const shown = (await (await fetch(`${simulator.url}/admin/numbers`)).json()) as unknown[];
    expect(shown).toHaveLength(3);
    expect(shown[2]).toMatchObject({ phoneNumber, smsUrl: SMS });
  });

  it("names what is wrong", async () => {
    const response = await post({ phoneNumber: BUSINESS, smsUrl: "sms" });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("21502");
    expect((await post({ phoneNumber: BUSINESS, smsurl: SMS })).status).toBe(400);
  });
});

describe("a text without a webhook URL", () => {
  let gateway: TestServer;
  let base: string;
  let paths: string[];

  beforeEach(async () => {
    paths = [];
    gateway = await openServer((request, response) => {
      paths.push(request.url ?? "");
      const status = request.url === "/sms" ? 500 : 200;
      response.writeHead(status, { "content-type": "text/xml" }).end("<Response/>");
    });
    base = gateway.url;
  });

  afterEach(() => gateway.close());

  const text = (to = BUSINESS) => simulator.text({ from: CUSTOMER, to, body: "Help" });

  it("goes where its number is configured, fragment and fallback included", async () => {
    await update({ smsUrl: `${base}/sms#rc=1&rp=5xx`, smsFallbackUrl: `${base}/fallback` });
    expect((await text()).final?.status).toBe(200);
    expect(paths).toEqual(["/sms", "/sms", "/fallback"]);
  });

  it("with a webhook URL leaves the configuration aside", async () => {
    await update({ smsUrl: `${base}/sms`, smsFallbackUrl: `${base}/fallback` });
    const webhookUrl = `${base}/elsewhere`;
    await simulator.text({ from: CUSTOMER, to: BUSINESS, body: "Help", webhookUrl });
    expect(paths).toEqual(["/elsewhere"]);
  });

  it("says to provision a number that is unknown or has no SmsUrl, and records nothing", async () => {
    await expect(text("+447000000000")).rejects.toThrow(/not a number of the account.*provision/);
    await expect(text()).rejects.toThrow(RangeError);
    await expect(text()).rejects.toThrow(/no SmsUrl: provision/);
    expect(await client().messages.list()).toEqual([]);
  });

  it("says what it does not imitate", async () => {
    await update({ smsUrl: `${base}/sms`, smsMethod: "GET" });
    await expect(text()).rejects.toThrow("GET");
    await update({ smsMethod: "POST", smsApplicationSid: "AP1" });
    await expect(text()).rejects.toThrow("SmsApplicationSid");
  });

  it("with lost webhooks is in the log, and reaches nobody", async () => {
    await update({ smsUrl: `${base}/fine` });
    simulator.setFaults({ webhooks: "lost" });
    expect(await text()).toEqual({ attempts: [], final: null });
    expect(paths).toEqual([]);
    const listed = await client().messages.list({ to: BUSINESS });
    expect(listed).toMatchObject([{ body: "Help", direction: "inbound", status: "received" }]);
    simulator.setFaults({ webhooks: "delivered" });
    expect((await text()).final?.status).toBe(200);
  });
});
