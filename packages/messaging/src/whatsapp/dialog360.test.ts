import { describe, expect, it } from "@jest/globals";
import { describeChannel } from "../testing/describe-channel.ts";
import { json, openDouble } from "../testing/http-double.ts";
import {
  called,
  change,
  enveloped,
  hmac,
  message,
  metaFixtures,
  written,
} from "../testing/meta-webhooks.ts";
import { OUTBOUND, sendingFixtures, whatsAppWith } from "../testing/whatsapp-double.ts";

const SECRETS = ["the secret in use", "the secret being rotated in"];
const SETTINGS = {
  WHATSAPP_API_KEY: "key",
  WHATSAPP_WEBHOOK_SECRET: SECRETS,
  WHATSAPP_VERIFY_TOKEN: ["the verify token"],
};
const BODY = written(enveloped(change({ messages: [message()] })));
const never = () => new AbortController().signal;
const signed = (secret: string, prefix = "") =>
  called(BODY, { "x-360dialog-signature": `${prefix}${hmac(secret, BODY)}` });

const {
  genuine: _genuine,
  forged: signedByMeta,
  ...webhook
} = metaFixtures(SECRETS, "the verify token");

describeChannel("360dialog", {
  channel: whatsAppWith(SETTINGS),
  ...sendingFixtures(SETTINGS),
  webhook: {
    ...webhook,
    genuine: {
      "a bare signature": signed("the secret in use"),
      "a signature with its scheme": signed("the secret in use", "sha256="),
      "signed with the second secret": signed("the secret being rotated in"),
      "the secret it was told": called(BODY, { "x-webhook-secret": "the secret in use" }),
    },
    forged: {
      ...signedByMeta,
      "signed as Meta would": called(BODY, {
        "x-hub-signature-256": `sha256=${hmac("the secret in use", BODY)}`,
      }),
      "signed with a wrong secret": signed("guessed"),
      "another body": { ...signed("the secret in use"), rawBody: Buffer.from("{}") },
      "a wrong secret": called(BODY, { "x-webhook-secret": "guessed" }),
      "an empty secret": called(BODY, { "x-webhook-secret": "" }),
    },
  },
});

describe("the 360dialog channel", () => {
  it("is WhatsApp's as soon as there is its key, whatever else there is", () => {
    const both = { ...SETTINGS, WHATSAPP_ACCESS_TOKEN: "token", WHATSAPP_APP_SECRET: ["secret"] };
    expect(whatsAppWith(both)).toMatchObject({ name: "whatsapp", provider: "360dialog" });
  });

  it("has its key stand for the number, and no version", async () => {
    const double = await openDouble(json(404, {}));
    const channel = whatsAppWith({ ...SETTINGS, WHATSAPP_API_URL: `${double.url}/` });
    await channel.send(OUTBOUND, never());
    await channel.showReading?.({ providerMessageId: "wamid.A", to: "106540352242922" }, never());
    await channel.fetchMedia?.("media:42", never());
    expect(double.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /messages",
      "POST /messages",
      "GET /42",
    ]);
    expect(double.requests.map(({ headers }) => headers["d360-api-key"])).toEqual([
      "key",
      "key",
      "key",
    ]);
    expect(double.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("fetches a file that Meta keeps by way of 360dialog, with the key", async () => {
    const url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=42&hash=a%2Fb";
    const double = await openDouble((response, { url: path }) => {
      if (path === "/42") return json(200, { url, mime_type: "image/jpeg" })(response);
      response.end("picture");
    });
    const channel = whatsAppWith({ ...SETTINGS, WHATSAPP_API_URL: double.url });
    expect(await channel.fetchMedia?.("media:42", never())).toEqual({
      kind: "fetched",
      content: Buffer.from("picture"),
      contentType: "image/jpeg",
    });
    expect(double.requests.map(({ path, headers }) => [path, headers["d360-api-key"]])).toEqual([
      ["/42", "key"],
      ["/whatsapp_business/attachments/?mid=42&hash=a%2Fb", "key"],
    ]);
  });

  it("says that it cannot believe anybody without a secret", () => {
    const { WHATSAPP_WEBHOOK_SECRET: _secret, ...without } = SETTINGS;
    const { webhook: unguarded } = whatsAppWith(without);
    expect(unguarded?.problems).toEqual([expect.stringMatching(/^WHATSAPP_WEBHOOK_SECRET /)]);
    expect(unguarded?.verify(called(BODY, { "x-webhook-secret": "" }))).toBe(false);
    expect(whatsAppWith(SETTINGS).webhook?.problems).toEqual([]);
  });
});
