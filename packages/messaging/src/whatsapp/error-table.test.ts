import { describe, expect, it } from "@jest/globals";
import type { SendOutcome } from "../channel.ts";
import { json, openDouble, text } from "../testing/http-double.ts";
import { OUTBOUND, refusalOf, whatsAppWith } from "../testing/whatsapp-double.ts";

async function sendTo(url: string, more: object = {}): Promise<SendOutcome> {
  const settings = { WHATSAPP_API_URL: url, WHATSAPP_ACCESS_TOKEN: "token", ...more };
  return whatsAppWith(settings).send(OUTBOUND, new AbortController().signal);
}

const rejected = (scope: string) => ({ kind: "rejected", scope });
const TABLE: [Record<string, unknown>, number[]][] = [
  [{ kind: "unavailable" }, [1, 2, 4, 80007, 131000, 131016, 133004]],
  [{ kind: "unavailable", about: "sender" }, [130429, 131057, 133016]],
  [{ kind: "unavailable", about: "recipient" }, [131053]],
  [{ kind: "unavailable", about: "recipient", waitBaseSeconds: 4 }, [131056]],
  [rejected("account"), [0, 3, 10, 190, 200, 250, 299, 368, 131005, 131031, 131042]],
  [rejected("sender"), [33, 131037, 131045, 133010]],
  [rejected("region"), [130497]],
  [rejected("unverified-recipient"), [131030]],
  [rejected("recipient"), [130472, 131026]],
  [rejected("marketing-opt-out"), [131050]],
  [rejected("content"), [100, 131008, 131009, 131021, 131047, 131051, 131052, 131062, 135000]],
  [rejected("content"), [132000, 132001, 132005, 132007, 132012, 132015, 132016, 132068, 132069]],
  [rejected("other"), [131048, 131049]],
];
const codes = TABLE.flatMap(([expected, list]) => list.map((code) => ({ code, expected })));

describe("an error of Meta", () => {
  it.each(codes)("$code means $expected", async ({ code, expected }) => {
    const double = await openDouble(refusalOf(400, code));
    expect(await sendTo(double.url)).toEqual({ ...expected, code: String(code) });
  });

  it.each([
    [400, 130429, { kind: "unavailable", about: "sender" }],
    [403, 131056, { kind: "unavailable", about: "recipient", waitBaseSeconds: 4 }],
    [429, 131026, rejected("recipient")],
    [500, 131037, rejected("sender")],
    [503, 2, { kind: "unavailable" }],
    [401, 100, rejected("content")],
  ])("with HTTP %i and the code %i goes by the code", async (status, code, expected) => {
    const double = await openDouble(refusalOf(status, code));
    expect(await sendTo(double.url)).toEqual({ ...expected, code: String(code) });
  });

  it.each([
    [400, rejected("other")],
    [404, rejected("other")],
    [401, rejected("account")],
    [403, rejected("account")],
    [429, { kind: "unavailable" }],
    [500, { kind: "unknown" }],
    [502, { kind: "unknown" }],
    [503, { kind: "unknown" }],
    [302, { kind: "unknown" }],
  ])("with HTTP %i and no or no known code goes by the status", async (status, expected) => {
    const bare = await openDouble(text(status, "<h1>Oops</h1>"));
    expect(await sendTo(bare.url)).toEqual({ ...expected, code: `http-${status}` });
    const unheardOf = await openDouble(refusalOf(status, 987654));
    expect(await sendTo(unheardOf.url)).toEqual({ ...expected, code: "987654" });
  });

  it("is read when its code is a text", async () => {
    const double = await openDouble(refusalOf(400, "131026"));
    expect(await sendTo(double.url)).toEqual({ ...rejected("recipient"), code: "131026" });
  });

  it.each([null, "", true, 1.5, "131026 ", {}])(
    "with %j for a code has none: it stops no account",
    async (code) => {
      const double = await openDouble(refusalOf(400, code));
      expect(await sendTo(double.url)).toEqual({ ...rejected("other"), code: "http-400" });
    },
  );

  it("that knows no such number of ours is about the number", async () => {
    const double = await openDouble(refusalOf(400, 100, { error_subcode: 33 }));
    expect(await sendTo(double.url)).toEqual({ ...rejected("sender"), code: "100" });
    const other = await openDouble(refusalOf(400, 100, { error_subcode: 2494010 }));
    expect(await sendTo(other.url)).toEqual({ ...rejected("content"), code: "100" });
  });

  it.each([
    ["2", 2000],
    ["0", 0],
    ["soon", undefined],
    ["-1", undefined],
  ])("with Retry-After %j waits for %p ms", async (value, retryAfterMs) => {
    const double = await openDouble(refusalOf(400, 80007, {}, { "retry-after": value }));
    expect(await sendTo(double.url)).toEqual({
      kind: "unavailable",
      code: "80007",
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  });

  it("understands Retry-After with a date", async () => {
    const at = new Date(Date.now() + 60_000).toUTCString();
    const double = await openDouble(refusalOf(429, 4, {}, { "retry-after": at }));
    const outcome = await sendTo(double.url);
    const waitMs = (outcome as { retryAfterMs: number }).retryAfterMs;
    expect(waitMs).toBeGreaterThan(50_000);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });
});

describe("an error of 360dialog's own", () => {
  it.each([
    [400, "You have exceeded the endpoint rate limit.", { kind: "unavailable" }],
    [400, "Your WhatsApp for Business API has been disabled", rejected("account")],
    [400, "Could not send message due to lack of payment. …", rejected("account")],
    [400, "Something else", rejected("other")],
    [401, "Invalid api_key", rejected("account")],
    [403, "The endpoint is blocked", rejected("account")],
    [502, "WhatsApp for Business API not available", { kind: "unknown" }],
  ])("HTTP %i, %j", async (status, words, expected) => {
    const double = await openDouble(
      json(status, { meta: { success: false, http_code: status, developer_message: words } }),
    );
    const outcome = await sendTo(double.url, { WHATSAPP_API_KEY: "key" });
    expect(outcome).toEqual({ ...expected, code: `http-${status}` });
  });
});
