import { describe, expect, it } from "@jest/globals";
import { createChannels, defineProvider, providers, twilioChannel } from "./index.ts";

const context = { publicBaseUrl: "https://gateway.example.com", attemptTimeoutMs: 1000 };
const account = { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: ["token"] };

describe("the registry", () => {
  it("offers one channel per name, by the provider that is configured", () => {
    const channels = createChannels(providers, account, context);
    expect([...channels].map(([name, { provider }]) => [name, provider])).toEqual([
      ["sms", "twilio"],
      ["whatsapp", "whatsapp-cloud"],
    ]);
  });

  it("refuses two providers of one channel", () => {
    const channel = twilioChannel({ accountSid: "AC1", authTokens: ["token"] });
    const other = defineProvider({
      settings: {},
      create: () => ({ ...channel, provider: "other" }),
    });
    expect(() => createChannels([...providers, other], account, context)).toThrow(
      "twilio and other both carry sms",
    );
  });
});
