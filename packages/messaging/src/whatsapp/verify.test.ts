import { describe, expect, it } from "@jest/globals";
import { called, hmac, signedByMeta, written } from "../testing/meta-webhooks.ts";
import { isFrom360Dialog, isSignedByMeta } from "./verify.ts";

const SECRETS = ["the secret in use", "the secret being rotated in"];
const BODY = written({ text: "Où ? a/b @ 🔧" });

describe("a request of 360dialog", () => {
  it.each(SECRETS)("is believed with %j in its header", (secret) => {
    expect(isFrom360Dialog(SECRETS, called(BODY, { "x-webhook-secret": secret }))).toBe(true);
  });

  it.each(SECRETS)("is believed when signed with %j, bare or with its scheme", (secret) => {
    const signature = hmac(secret, BODY);
    for (const header of [signature, `sha256=${signature}`, signature.toUpperCase()]) {
      const request = called(BODY, { "x-360dialog-signature": header });
      expect(isFrom360Dialog(SECRETS, request)).toBe(true);
    }
  });

  it.each([
    ["nothing", {}],
    ["an empty secret", { "x-webhook-secret": "" }],
    ["another secret", { "x-webhook-secret": "guessed" }],
    ["the beginning of a secret", { "x-webhook-secret": "the secret" }],
    ["both secrets", { "x-webhook-secret": SECRETS.join(", ") }],
    ["another's signature", { "x-360dialog-signature": hmac("guessed", BODY) }],
    [
      "the signature of another body",
      { "x-360dialog-signature": hmac(SECRETS[0] ?? "", written(1)) },
    ],
    ["half a signature", { "x-360dialog-signature": hmac(SECRETS[0] ?? "", BODY).slice(0, 32) }],
    ["Meta's header", { "x-hub-signature-256": `sha256=${hmac(SECRETS[0] ?? "", BODY)}` }],
  ])("is not believed with %s", (_name, headers) => {
    expect(isFrom360Dialog(SECRETS, called(BODY, headers))).toBe(false);
  });
});

describe("without a secret", () => {
  it.each([[[]], [[""]]])("(%j) nobody is believed", (none: string[]) => {
    expect(isSignedByMeta(none, signedByMeta("", BODY))).toBe(false);
    expect(isFrom360Dialog(none, called(BODY, { "x-webhook-secret": "" }))).toBe(false);
    const signature = { "x-360dialog-signature": hmac("", BODY) };
    expect(isFrom360Dialog(none, called(BODY, signature))).toBe(false);
  });
});
