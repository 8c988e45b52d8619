import { describe, expect, it } from "@jest/globals";
import { createChannels } from "./index.ts";

describe("the registry", () => {
  it("offers the channels that are configured and no others", () => {
    const channels = createChannels({ twilio: { accountSid: "AC1", authTokens: ["token"] } });
    expect([...channels].map(([name, { provider }]) => [name, provider])).toEqual([
      ["sms", "twilio"],
    ]);
    expect(createChannels({}).size).toBe(0);
  });
});
