import { describe, expect, it } from "@jest/globals";
import { describeWebhook } from "../testing/describe-webhook.ts";
import { change, enveloped, message, metaFixtures, written } from "../testing/meta-webhooks.ts";
import { isSignedByMeta } from "./verify.ts";
import { metaWebhook, type MetaWebhookOptions } from "./webhook.ts";

const SECRETS = ["the secret in use", "the secret being rotated in"];
const OPTIONS: MetaWebhookOptions = {
  provider: "whatsapp-cloud",
  authenticate: (request) => isSignedByMeta(SECRETS, request),
  verifyTokens: ["a token", "another token"],
  defaultTo: "4711",
  problems: [],
};
const webhook = metaWebhook(OPTIONS);

describe("the webhook of WhatsApp", () => {
  const channel = { name: "whatsapp", provider: "whatsapp-cloud", webhook };
  describeWebhook(channel, metaFixtures(SECRETS, "another token"));

  it("is at the address given to Meta, and was at another", () => {
    expect(webhook.path).toBe("/api/v1/whatsapp/webhook");
    expect(webhook.movedFrom).toEqual(["/whatsapp/webhook"]);
  });

  it("leaves it to its caller when the default receiver applies", () => {
    const body = written(enveloped({ field: "messages", value: { messages: [message()] } }));
    expect(webhook.read(body)).toMatchObject({ items: [{ kind: "unroutable" }] });
    expect(webhook.defaultTo).toBe("4711");
  });

  it("takes the default receiver only when none is named", () => {
    const body = written(enveloped(change({ messages: [message()] })));
    expect(webhook.read(body, { to: "4711" })).toMatchObject({
      items: [{ message: { to: "106540352242922" } }],
    });
  });

  it.each([[undefined], [[]], [[""]]])(
    "proves nothing to anybody with %j for verify tokens",
    (verifyTokens) => {
      const unset = metaWebhook({ ...OPTIONS, verifyTokens });
      const query = { "hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1" };
      expect(unset.challenge(new URLSearchParams(query))).toBeNull();
    },
  );
});
