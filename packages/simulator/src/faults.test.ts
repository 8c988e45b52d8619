import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import { startSimulator } from "./index.ts";
import type { Faults, Simulator } from "./index.ts";

const CUSTOMER = "+447123456789";
const BUSINESS = "+447987654321";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await simulator.close();
});

function client() {
  const sdk = twilio(simulator.accountSid, simulator.authToken, { timeout: 20_000 });
  sdk.api.baseUrl = simulator.twilioUrl;
  return sdk;
}

/** What a client without the SDK sees: the status, the Retry-After and the body, or null for no answer. */
async function post(to = CUSTOMER, timeoutMs = 20_000) {
  const credentials = btoa(`${simulator.accountSid}:${simulator.authToken}`);
  const path = `/2010-04-01/Accounts/${simulator.accountSid}/Messages.json`;
  try {
    const response = await fetch(simulator.twilioUrl + path, {
      method: "POST",
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ From: BUSINESS, To: to, Body: "Hello" }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const retryAfter = response.headers.get("retry-after");
    return { status: response.status, retryAfter, body: await response.text() };
  } catch {
    return null;
  }
}

async function putFaults(faults: unknown) {
  const response = await fetch(`${simulator.url}/admin/faults`, {
    method: "PUT",
    body: JSON.stringify(faults),
  });
  return response.status;
}

describe("error-after-accept", () => {
  it("sends the text and answers an error that has no Twilio code", async () => {
    simulator.setFaults({ twilio: { kind: "error-after-accept", status: 502, times: 1 } });
    const answer = await post();
    expect(answer?.status).toBe(502);
    expect(answer?.body).not.toContain("code");
    expect(simulator.sent()).toHaveLength(1);
    expect(await post()).toMatchObject({ status: 201 });
  });

  it("answers with a code when one is given", async () => {
    simulator.setFaults({ twilio: { kind: "error-after-accept", status: 500, code: 20500 } });
    const create = client().messages.create({ from: BUSINESS, to: CUSTOMER, body: "x" });
    await expect(create).rejects.toMatchObject({ status: 500, code: 20500 });
    expect(simulator.sent()).toHaveLength(1);
  });
});

describe("mix", () => {
  it.each([
    { key: "ok", sees: { status: 201 }, sent: 1 },
    { key: "error-503", sees: { status: 503, body: expect.stringContaining("20503") }, sent: 0 },
    {
      key: "error-429",
      sees: { status: 429, retryAfter: "1", body: expect.stringContaining("20429") },
      sent: 0,
    },
    { key: "reset", sees: null, sent: 0 },
    { key: "accept-then-reset", sees: null, sent: 1 },
    { key: "accept-then-hang", sees: null, sent: 1 },
    { key: "garbage-201", sees: { status: 201, body: expect.stringContaining("<html>") }, sent: 1 },
    {
      key: "error-after-accept",
      sees: { status: 500, body: "<html></html>" },
      sent: 1,
    },
  ])("can draw $key: $sent sent", async ({ key, sees, sent }) => {
    expect(await putFaults({ twilio: { kind: "mix", weights: { [key]: 1 } } })).toBe(200);
    // In an array, since toMatchObject takes no null.
    expect([await post(CUSTOMER, key.endsWith("hang") ? 1500 : undefined)]).toMatchObject([sees]);
    expect(simulator.sent()).toHaveLength(sent);
  });

  async function statuses(twilioFault: Faults["twilio"], count: number) {
    simulator.setFaults({ twilio: twilioFault });
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < count; i++) seen.push((await post())?.status);
    return seen;
  }

  it("repeats the same draws for the same seed, and others for another", async () => {
    const mix = (seed: number) => ({
      kind: "mix" as const,
      seed,
      weights: { ok: 1, "error-503": 1, "error-429": 1 },
    });
    const first = await statuses(mix(7), 30);
    expect(await statuses(mix(7), 30)).toEqual(first);
    expect(await statuses(mix(8), 30)).not.toEqual(first);
  });

  it("draws by weight", async () => {
    const weights = { ok: 3, "error-503": 1 };
    const seen = await statuses({ kind: "mix", seed: 1, weights }, 200);
    const refused = seen.filter((status) => status === 503).length;
    expect(refused).toBeGreaterThan(30);
    expect(refused).toBeLessThan(70);
    expect(simulator.sent()).toHaveLength(200 - refused);
  });

  it("is refused without a weight, and with a key that does not exist", async () => {
    expect(await putFaults({ twilio: { kind: "mix", weights: { ok: 0 } } })).toBe(400);
    expect(await putFaults({ twilio: { kind: "mix", weights: { explode: 1 } } })).toBe(400);
  });
});

describe("refusals", () => {
  it.each([
    { code: 21211, status: 400 },
    { code: 21608, status: 400 },
    { code: 20005, status: 400 },
    { code: 30002, status: 400 },
    { code: 20003, status: 401 },
    { code: 20429, status: 429 },
    { code: 20503, status: 503 },
  ])("refuse one recipient with $code as $status, and no other", async ({ code, status }) => {
    expect(await putFaults({ refusals: { [CUSTOMER]: code } })).toBe(200);
    const refused = client().messages.create({ from: BUSINESS, to: CUSTOMER, body: "x" });
    await expect(refused).rejects.toMatchObject({ status, code });
    expect(simulator.sent()).toEqual([]);
    expect(await post("+447700900123")).toMatchObject({ status: 201 });
  });

  it("go before the fault, and use up none of its times", async () => {
    const twilioFault = { kind: "error", status: 503, times: 1 } as const;
    simulator.setFaults({ twilio: twilioFault, refusals: { [CUSTOMER]: 21610 } });
    expect(await post()).toMatchObject({ status: 400 });
    expect(await post("+447700900123")).toMatchObject({ status: 503 });
  });
});

describe("lists", () => {
  it("answer with the switched-on error until it is switched off", async () => {
    expect(await putFaults({ listErrorStatus: 503 })).toBe(200);
    const { messages, incomingPhoneNumbers } = client();
    await expect(messages.list()).rejects.toMatchObject({ status: 503, code: 20503 });
    await expect(incomingPhoneNumbers.list()).rejects.toMatchObject({ status: 503 });
    expect(await putFaults({ listErrorStatus: null })).toBe(200);
    expect(await messages.list()).toEqual([]);
  });

  it("have pages no longer than the limit, and lose nothing between them", async () => {
    expect(await putFaults({ listPageLimit: 2 })).toBe(200);
    for (let i = 0; i < 5; i++) await post();
    const { messages } = client();
    const page = await messages.page({ pageSize: 1000 });
    expect(page.instances).toHaveLength(2);
    const all = await messages.list({ to: CUSTOMER, from: BUSINESS });
    const sent = simulator.sent().toReversed();
    expect(all.map(({ sid }) => sid)).toEqual(sent.map(({ sid }) => sid));
  });
});
