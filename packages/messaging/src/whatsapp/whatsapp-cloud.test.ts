import { describe, expect, it } from "@jest/globals";
import { describeChannel } from "../testing/describe-channel.ts";
import { json, openDouble } from "../testing/http-double.ts";
import { metaFixtures } from "../testing/meta-webhooks.ts";
import { OUTBOUND, sendingFixtures, whatsAppWith } from "../testing/whatsapp-double.ts";

const SECRETS = ["the secret in use", "the secret being rotated in"];
const SETTINGS = {
  WHATSAPP_ACCESS_TOKEN: "token",
  WHATSAPP_PHONE_NUMBER_ID: "4711",
  WHATSAPP_APP_SECRET: SECRETS,
  WHATSAPP_VERIFY_TOKEN: ["the verify token"],
};
const never = () => new AbortController().signal;

describeChannel("WhatsApp Cloud", {
  channel: whatsAppWith(SETTINGS),
  ...sendingFixtures(SETTINGS),
  webhook: metaFixtures(SECRETS, "the verify token"),
});

describe("the WhatsApp Cloud channel", () => {
  it("knows its window, its rate and who confirms STOP", () => {
    expect(whatsAppWith({ ...SETTINGS, WHATSAPP_PROCESSING: "deferred" })).toMatchObject({
      name: "whatsapp",
      provider: "whatsapp-cloud",
      processing: "deferred",
      windowMs: 24 * 60 * 60 * 1000,
      rate: { perSecond: 80 },
      answersKeywords: false,
      ownsEveryNumber: false,
    });
  });

  it("asks the version it is told to, for files, too", async () => {
    const double = await openDouble(json(404, {}));
    const settings = { ...SETTINGS, WHATSAPP_API_URL: `${double.url}/meta/` };
    const channel = whatsAppWith({ ...settings, WHATSAPP_API_VERSION: "v26.0" });
    await channel.send(OUTBOUND, never());
    await channel.showReading?.({ providerMessageId: "wamid.A", to: "106540352242922" }, never());
    await channel.fetchMedia?.("media:42", never());
    expect(double.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /meta/v26.0/106540352242922/messages",
      "POST /meta/v26.0/106540352242922/messages",
      "GET /meta/v26.0/42",
    ]);
  });

  it("lets its webhook know the number of its own", () => {
    expect(whatsAppWith(SETTINGS).webhook?.defaultTo).toBe("4711");
  });
});

describe("without credentials, WhatsApp", () => {
  it("refuses to send, so that texts wait until there are some", async () => {
    const channel = whatsAppWith({});
    expect(await channel.send(OUTBOUND, never())).toEqual({
      kind: "rejected",
      code: "not-configured",
      scope: "account",
    });
    expect(channel.showReading).toBeUndefined();
    expect(channel.fetchMedia).toBeUndefined();
  });

  it("believes nobody", () => {
    const { genuine } = metaFixtures([""], "");
    for (const request of Object.values(genuine)) {
      expect(whatsAppWith({}).webhook?.verify(request)).toBe(false);
    }
  });

  it("has nothing to complain about when it is not used at all", () => {
    expect(whatsAppWith({}).webhook?.problems).toEqual([]);
    expect(whatsAppWith({ WHATSAPP_API_URL: "http://a.example" }).webhook?.problems).toEqual([]);
  });

  it.each(Object.entries({ ...SETTINGS, WHATSAPP_WEBHOOK_SECRET: ["secret"] }))(
    "says what else is missing when there is only %s",
    (key, value) => {
      const problems = whatsAppWith({ [key]: value }).webhook?.problems ?? [];
      const needed = ["WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"];
      expect(problems.map((problem) => problem.split(" ")[0])).toEqual(
        needed.filter((name) => name !== key),
      );
    },
  );

  it("is complete with the token, the app secret and the verify token", () => {
    const { WHATSAPP_PHONE_NUMBER_ID: _number, ...needed } = SETTINGS;
    expect(whatsAppWith(needed).webhook?.problems).toEqual([]);
  });
});
