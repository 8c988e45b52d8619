import { describe, expect, it } from "@jest/globals";
import { type Answering, json, openDouble, text } from "../testing/http-double.ts";
import { twilioNumbers } from "./numbers.ts";

const ACCOUNT = `AC${"0".repeat(32)}`;
const TOKEN = "the token in use";
const PATH = `/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers`;
const UNSET = {
  smsUrl: "",
  smsMethod: "POST",
  smsFallbackUrl: "",
  smsFallbackMethod: "POST",
  voiceUrl: "",
  voiceMethod: "POST",
  statusCallback: "",
  statusCallbackMethod: "POST",
  smsApplicationSid: "",
  voiceApplicationSid: "",
};
const never = new AbortController().signal;

/** A number as Twilio shows it. */
const resource = (last: number, more: Record<string, unknown> = {}) => ({
  sid: `PN${last}`,
  phone_number: `+44163296000${last}`,
  sms_url: "",
  sms_method: "POST",
  sms_fallback_url: null,
  sms_fallback_method: "POST",
  voice_url: null,
  voice_method: "POST",
  status_callback: "",
  status_callback_method: "POST",
  sms_application_sid: "",
  voice_application_sid: null,
  ...more,
});

async function open(answer: Answering) {
  const double = await openDouble(answer);
  const numbers = twilioNumbers({
    accountSid: ACCOUNT,
    authTokens: [TOKEN],
    apiBaseUrl: double.url,
  });
  return { numbers, requests: double.requests };
}

describe("the numbers of a Twilio account", () => {
  it("are listed over all pages, with where Twilio turns to for them", async () => {
    const url = "https://gateway.example/sms#rc=2";
    const pages = [
      { incoming_phone_numbers: [resource(1)], next_page_uri: `${PATH}.json?Page=1` },
      { incoming_phone_numbers: [resource(2, { sms_url: url })], next_page_uri: null },
    ];
    const { numbers, requests } = await open((response, _request, count) =>
      json(200, pages[count - 1])(response),
    );
    expect(await numbers.list(never)).toEqual([
      { sid: "PN1", phoneNumber: "+441632960001", webhooks: UNSET },
      { sid: "PN2", phoneNumber: "+441632960002", webhooks: { ...UNSET, smsUrl: url } },
    ]);
    expect(requests.map(({ path }) => path)).toEqual([
      `${PATH}.json?PageSize=1000`,
      `${PATH}.json?Page=1`,
    ]);
  });

  it("change in what is given and in nothing else", async () => {
    const { numbers, requests } = await open(
      json(200, resource(1, { sms_url: "https://a.example" })),
    );
    const changed = { smsUrl: "https://a.example", smsApplicationSid: "" };
    expect(await numbers.update("PN1", changed, never)).toEqual({
      sid: "PN1",
      phoneNumber: "+441632960001",
      webhooks: { ...UNSET, smsUrl: "https://a.example" },
    });
    expect(requests[0]?.path).toBe(`${PATH}/PN1.json`);
    expect(Object.fromEntries(requests[0]!.form)).toEqual({
      SmsUrl: "https://a.example",
      SmsApplicationSid: "",
    });
  });

  it.each<[string, Answering, string]>([
    [
      "is refused",
      json(401, { code: 20003, message: TOKEN }),
      "the account SID or the auth token is wrong (error 20003)",
    ],
    [
      "is missing",
      json(404, { code: 20404, message: TOKEN }),
      "the account or the number does not exist (error 20404)",
    ],
    ["fails", text(503, TOKEN), "http-503"],
    ["is cut off", (_response, request) => request.socket.resetAndDestroy(), "reset"],
    ["is unreadable", json(200, { surprise: TOKEN }), "unreadable"],
  ])(
    "are an error that says why, once, and no secret, when the answer %s",
    async (_name, answer, why) => {
      const { numbers, requests } = await open(answer);
      const listing = await numbers.list(never).catch((error: unknown) => error);
      expect(listing).toEqual(new Error(`Twilio did not list its numbers: ${why}`));
      expect(requests).toHaveLength(1);
      const updating = await numbers.update("PN1", {}, never).catch((error: unknown) => error);
      expect(updating).toEqual(new Error(`Twilio did not update the number PN1: ${why}`));
      expect(updating).not.toHaveProperty("cause");
      expect(requests).toHaveLength(2);
    },
  );

  it("are not asked for once aborted, and not waited for", async () => {
    const { numbers, requests } = await open(() => {});
    await expect(numbers.list(AbortSignal.abort())).rejects.toThrow("list its numbers: aborted");
    expect(requests).toHaveLength(0);
    const abort = new AbortController();
    const listing = numbers.list(abort.signal);
    abort.abort();
    await expect(listing).rejects.toThrow("list its numbers: aborted");
  });

  it("need an account", () => {
    expect(() => twilioNumbers({ accountSid: "SK1", authTokens: [TOKEN] })).toThrow(TypeError);
    expect(() => twilioNumbers({ accountSid: ACCOUNT, authTokens: [""] })).toThrow(TypeError);
  });
});
