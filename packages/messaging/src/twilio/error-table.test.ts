import { describe, expect, it } from "@jest/globals";
import type { SendOutcome } from "../channel.ts";
import { json, openDouble, text } from "../testing/http-double.ts";
import { twilioChannel } from "./twilio-channel.ts";

const ACCOUNT = `AC${"0".repeat(32)}`;

async function sendTo(url: string): Promise<SendOutcome> {
  const channel = twilioChannel({
    accountSid: ACCOUNT,
    authTokens: ["the token in use"],
    apiBaseUrl: url,
  });
  const message = { id: "1", from: "+441632960001", to: "+447700900123", body: "Hello" };
  return channel.send(message, new AbortController().signal);
}

const refusal = (status: number, code: number) =>
  json(status, { code, message: "refused", status });

const rejected = (scope: string) => ({ kind: "rejected", scope });
const TABLE: [Record<string, unknown>, number[]][] = [
  [{ kind: "unavailable" }, [20429, 20503, 30001, 63018]],
  // Of one number: a breaker must not count them.
  [{ kind: "unavailable", about: "sender" }, [21611, 30022, 30023]],
  [{ kind: "unavailable", about: "recipient" }, [30003, 30047]],
  [{ kind: "unknown" }, [20500, 30008, 30410]],
  [rejected("opt-out"), [21610]],
  [rejected("recipient"), [21211, 21217, 21604, 21612, 21614, 21635]],
  [rejected("recipient"), [30004, 30005, 30006, 30640, 63014]],
  [rejected("account"), [20003, 20005, 21609, 30002]],
  [rejected("sender"), [21212, 21603, 21606, 21703, 21704, 21705, 30024, 30034, 30035]],
  [rejected("region"), [21408]],
  [rejected("unverified-recipient"), [21608]],
  [rejected("content"), [21602, 21617, 21619, 21620, 21623, 30007]],
  [rejected("other"), [30610, 63016]],
];
const codes = TABLE.flatMap(([expected, list]) => list.map((code) => ({ code, expected })));

describe("an error of Twilio", () => {
  it.each(codes)("$code means $expected", async ({ code, expected }) => {
    const double = await openDouble(refusal(400, code));
    expect(await sendTo(double.url)).toEqual({ ...expected, code: String(code) });
  });

  it.each([
    [500, 21211, { kind: "rejected", scope: "recipient" }],
    [401, 21610, { kind: "rejected", scope: "opt-out" }],
    [400, 20429, { kind: "unavailable" }],
  ])("with HTTP %i and the code %i goes by the code", async (status, code, expected) => {
    const double = await openDouble(refusal(status, code));
    expect(await sendTo(double.url)).toEqual({ ...expected, code: String(code) });
  });

  it.each([
    [400, { kind: "rejected", scope: "other" }],
    [404, { kind: "rejected", scope: "other" }],
    [401, { kind: "rejected", scope: "account" }],
    [403, { kind: "rejected", scope: "account" }],
    [429, { kind: "unavailable" }],
    [500, { kind: "unknown" }],
    [503, { kind: "unknown" }],
  ])("with HTTP %i and a code nobody knows means %j", async (status, expected) => {
    const double = await openDouble(refusal(status, 99999));
    expect(await sendTo(double.url)).toEqual({ ...expected, code: "99999" });
  });

  it.each([
    [302, { kind: "unknown" }],
    [400, { kind: "rejected", scope: "other" }],
    [401, { kind: "rejected", scope: "account" }],
    [403, { kind: "rejected", scope: "account" }],
    [404, { kind: "rejected", scope: "other" }],
    [429, { kind: "unavailable" }],
    [500, { kind: "unknown" }],
    [502, { kind: "unknown" }],
    [503, { kind: "unknown" }],
    [504, { kind: "unknown" }],
  ])("that is a page with HTTP %i means %j", async (status, expected) => {
    const double = await openDouble(text(status, "<h1>Sorry</h1>"));
    expect(await sendTo(double.url)).toEqual({ ...expected, code: `http-${status}` });
  });

  it("says in seconds when to come back", async () => {
    const double = await openDouble(json(429, { code: 20429 }, { "retry-after": "7" }));
    expect(await sendTo(double.url)).toEqual({
      kind: "unavailable",
      code: "20429",
      retryAfterMs: 7000,
    });
  });

  it("says by a date when to come back", async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const double = await openDouble(json(429, {}, { "retry-after": date }));
    const { retryAfterMs } = (await sendTo(double.url)) as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(30_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it.each(["soon", "-1", ""])("may say %j, which is no time to come back", async (value) => {
    const double = await openDouble(json(429, { code: 20429 }, { "retry-after": value }));
    expect(await sendTo(double.url)).toEqual({ kind: "unavailable", code: "20429" });
  });
});
