import { describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import type { OutboundMessage, WebhookRequest } from "../channel.ts";
import { describeChannel, type ProviderBehaviour } from "../testing/describe-channel.ts";
import { type Answering, json, openDouble, text } from "../testing/http-double.ts";
import { logFixtures } from "../testing/twilio-log-double.ts";
import { twilioChannel } from "./twilio-channel.ts";

const ACCOUNT = `AC${"0".repeat(32)}`;
const TOKEN = "the token in use";
const NEXT_TOKEN = "the token being rotated in";
const URL_CALLED = "https://gateway.example/sms";
const TEXT = {
  MessageSid: "SM9999999999",
  AccountSid: ACCOUNT,
  From: "+447700900123",
  To: "+441632960001",
  Body: "Hello",
  NumMedia: "0",
};
const OUTBOUND: OutboundMessage = {
  id: "0192f0c1-7a3b-7000-8000-000000000001",
  from: "+441632960001",
  to: "+447700900123",
  body: "We are on our way, Müller & Söhne",
};
const options = { accountSid: ACCOUNT, authTokens: [TOKEN, NEXT_TOKEN] };
const channel = twilioChannel(options);

function signed(params: WebhookRequest["params"], token = TOKEN, url = URL_CALLED): WebhookRequest {
  const signature = twilio.getExpectedTwilioSignature(token, url, params);
  return { url, headers: { "x-twilio-signature": signature }, rawBody: Buffer.alloc(0), params };
}

const receipt = (status: string, more: Record<string, string> = {}) => ({
  url: "https://gateway.example/api/twilio/message-status",
  params: { ...TEXT, MessageStatus: status, SmsStatus: status, ...more },
});

const refusal = (status: number, code: number) =>
  json(status, { code, message: "refused", status });
const acceptance = json(201, { sid: `SM${"a".repeat(32)}`, status: "queued" });

const BEHAVIOURS: Record<ProviderBehaviour, Answering> = {
  accepts: acceptance,
  "refuses the recipient": refusal(400, 21211),
  "refuses an opted-out recipient": refusal(400, 21610),
  "refuses the content": refusal(400, 21617),
  "refuses the account": refusal(401, 20003),
  "limits the rate for 2 s": json(429, { code: 20429 }, { "retry-after": "2" }),
  "is not there": () => {},
  "resets after reading": (_response, request) => request.socket.resetAndDestroy(),
  "never answers": () => {},
  "fails with a bare 500": text(500, "<h1>Oops</h1>"),
  "accepts unreadably": text(201, "<h1>Created</h1>"),
};

describeChannel("Twilio", {
  channel,
  forms: {
    channel,
    genuine: {
      "a plain text": signed(TEXT),
      "with the second token": signed(TEXT, NEXT_TOKEN),
      "a repeated parameter": signed({ ...TEXT, Extra: ["b", "a", "b"] }),
      "an empty parameter": signed({ ...TEXT, Body: "", FromCity: "" }),
      "umlauts and emoji": signed({ ...TEXT, Body: "Müller & Söhne <24h> 🔧" }),
      "parameters nobody has heard of": signed({ ...TEXT, "Foo[bar]": "1", ChannelMetadata: "{}" }),
      "a query": signed(TEXT, TOKEN, `${URL_CALLED}?m=1&n=O'Neil`),
    },
    forged: {
      "a wrong token": signed(TEXT, "guessed"),
      "a changed text": { ...signed(TEXT), params: { ...TEXT, Body: "Hello!" } },
      "an added parameter": { ...signed(TEXT), params: { ...TEXT, Extra: "" } },
      "another address": { ...signed(TEXT), url: "https://gateway.example/sms/fallback" },
      "another account": signed({ ...TEXT, AccountSid: `AC${"1".repeat(32)}` }),
      "no account": signed({ MessageSid: "SM1", From: "+447700900123" }),
      "two accounts": signed({ ...TEXT, AccountSid: [ACCOUNT, ACCOUNT] }),
      "an empty signature": { ...signed(TEXT), headers: { "x-twilio-signature": "" } },
      "a signature that is not base64": {
        ...signed(TEXT),
        headers: { "x-twilio-signature": "ü🔧" },
      },
      "an unreadable URL": { ...signed(TEXT, "guessed"), url: "/sms" },
    },
    inbound: { params: TEXT, from: TEXT.From, to: TEXT.To, body: "Hello", id: "SM9999999999" },
    malformed: [
      { params: {}, problems: ["MessageSid", "From", "To"] },
      { params: { ...TEXT, MessageSid: "" }, problems: ["MessageSid"] },
      { params: { ...TEXT, MessageSid: "S".repeat(65) }, problems: ["MessageSid"] },
      { params: { ...TEXT, MessageSid: "SM\0" }, problems: ["MessageSid"] },
      { params: { ...TEXT, From: ["+447700900123", "+447700900124"] }, problems: ["From"] },
      { params: { ...TEXT, From: "0" }, problems: ["From"] },
      { params: { ...TEXT, AccountSid: "AC1" }, problems: ["AccountSid"] },
      { params: { ...TEXT, NumMedia: "-1" }, problems: ["NumMedia"] },
      { params: { MessageSid: "SM1", From: TEXT.From, To: TEXT.To }, problems: ["Body"] },
    ],
    receipts: {
      SENT: { request: receipt("sent"), id: "SM9999999999", code: null },
      DELIVERED: { request: receipt("delivered"), id: "SM9999999999", code: null },
      READ: { request: receipt("read", { EventType: "READ" }), id: "SM9999999999", code: null },
      FAILED: {
        request: receipt("failed", { ErrorCode: "30003" }),
        id: "SM9999999999",
        code: "30003",
      },
    },
    malformedReceipts: [
      { params: {}, problems: ["MessageSid", "MessageStatus"] },
      { params: { MessageStatus: "sent" }, problems: ["MessageSid"] },
      { params: { MessageSid: "SM\0", MessageStatus: "sent" }, problems: ["MessageSid"] },
      { params: { MessageSid: ["SM1", "SM2"], MessageStatus: "sent" }, problems: ["MessageSid"] },
      { params: { MessageSid: "SM1", MessageStatus: "teleported" }, problems: ["MessageStatus"] },
      { params: { MessageSid: "SM1", MessageStatus: "" }, problems: ["MessageStatus"] },
      {
        params: { MessageSid: "SM1", MessageStatus: ["sent", "read"] },
        problems: ["MessageStatus"],
      },
      { params: { MessageSid: "SM1", MessageStatus: "constructor" }, problems: ["MessageStatus"] },
    ],
  },
  outbound: OUTBOUND,
  async against(behaviour) {
    const double = await openDouble(BEHAVIOURS[behaviour]);
    if (behaviour === "is not there") await double.close();
    return {
      channel: twilioChannel({
        ...options,
        apiBaseUrl: double.url,
        ...(behaviour === "never answers" && { attemptTimeoutMs: 300 }),
      }),
      requestCount: () => double.requests.length,
      close: () => double.close(),
    };
  },
  log: logFixtures(options),
});

describe("a receipt of Twilio", () => {
  const read = (params: WebhookRequest["params"]) => {
    const result = channel.parseReceipt({ url: "https://gateway.example/status", params });
    if (!result.ok) throw new Error(result.problems.join());
    return result.receipt;
  };

  it.each([
    ["accepted", "SENT"],
    ["scheduled", "SENT"],
    ["queued", "SENT"],
    ["sending", "SENT"],
    ["sent", "SENT"],
    ["delivered", "DELIVERED"],
    ["partially_delivered", "DELIVERED"],
    ["read", "READ"],
    ["undelivered", "FAILED"],
    ["failed", "FAILED"],
    ["canceled", "FAILED"],
  ])("that says %s means %s", (word, status) => {
    expect(read({ MessageSid: "SM1", MessageStatus: word }).status).toBe(status);
  });

  it("may use the older names", () => {
    const older = { SmsSid: "SM1", SmsStatus: "undelivered", ErrorCode: "30005" };
    expect(read(older)).toMatchObject({
      providerMessageId: "SM1",
      status: "FAILED",
      code: "30005",
    });
  });

  it.each([undefined, "", "0", "a\0", ["30003", "30005"]])(
    "that gives no reason for a failure, but %j, gives the word as one",
    (code) => {
      const params = { MessageSid: "SM1", MessageStatus: "canceled" };
      expect(read(code === undefined ? params : { ...params, ErrorCode: code }).code).toBe(
        "canceled",
      );
    },
  );

  it("has no reason unless it failed", () => {
    const params = { MessageSid: "SM1", MessageStatus: "delivered", ErrorCode: "30003" };
    expect(read(params).code).toBeNull();
  });

  it("is believed without a readable address", () => {
    const params = { MessageSid: "SM1", MessageStatus: "sent" };
    expect(channel.parseReceipt({ url: "/status?m=1", params })).toMatchObject({
      ok: true,
      receipt: { messageId: null },
    });
  });
});

describe("reading a Twilio text", () => {
  const parse = (params: WebhookRequest["params"], defaults?: { to?: string }) => {
    const result = channel.parse(params, defaults);
    if (!result.ok) throw new Error(result.problems.join());
    return result.message;
  };

  it('reads a "+" that form decoding turned into a space', () => {
    const message = parse({ ...TEXT, From: " 447700900123", To: " 441632960001" });
    expect(message).toMatchObject({ from: "+447700900123", to: "+441632960001" });
  });

  it("takes the default receiver only when none is named", () => {
    const { To: _to, ...withoutTo } = TEXT;
    expect(parse(withoutTo, { to: "+441632960999" }).to).toBe("+441632960999");
    expect(parse(TEXT, { to: "+441632960999" }).to).toBe(TEXT.To);
  });

  it("accepts an unsigned text that names no account", () => {
    const { AccountSid: _account, ...withoutAccount } = TEXT;
    expect(parse(withoutAccount).accountId).toBe("");
  });

  it("reads pictures without a caption", () => {
    const { Body: _body, ...withoutBody } = TEXT;
    const message = parse({
      ...withoutBody,
      NumMedia: "3",
      MediaUrl0: "https://media.example/0",
      MediaContentType0: "image/jpeg",
      MediaUrl2: "https://media.example/2",
    });
    expect(message.body).toBe("");
    expect(message.media).toEqual([
      { url: "https://media.example/0", contentType: "image/jpeg" },
      { url: "https://media.example/2", contentType: "application/octet-stream" },
    ]);
  });

  it("makes the text storable and changes nothing else", () => {
    expect(parse({ ...TEXT, Body: "a\0b \uD83D “ü” 🔧\u0007" }).body).toBe(
      "ab \uFFFD “ü” 🔧\u0007",
    );
  });
});

describe("the options of the Twilio channel", () => {
  it.each([
    ["an account SID that is none", { accountSid: "SK1" }],
    ["no auth token", { authTokens: [] }],
    ["an empty auth token, which anybody could sign with", { authTokens: [TOKEN, ""] }],
    ["an API address that is none", { apiBaseUrl: "simulator" }],
    ["a callback address that is none", { statusCallbackUrl: "/status" }],
  ])("refuse %s", (_name, wrong) => {
    expect(() => twilioChannel({ ...options, ...wrong })).toThrow(TypeError);
  });
});
