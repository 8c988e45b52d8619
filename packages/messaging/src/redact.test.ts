import { describe, expect, it } from "@jest/globals";
import { maskAddress, redactText } from "./index.ts";

describe("a masked address", () => {
  it.each([
    ["+447700903456", "+44*****3456"],
    ["+15550001111", "+1*****1111"],
    ["+33612345678", "+33*****5678"],
    ["+999123456789", "+*****6789"],
    ["US.13491208655302741918", "US.*****1918"],
    ["US.ENT.11815799212886844830", "US.ENT.*****4830"],
    ["BR.a1B2c3D4e5F6g7H8i9J0", "BR.*****i9J0"],
    [`FR.${"7".repeat(128)}`, "FR.*****7777"],
    ["US.1234", "***"],
    ["us.13491208655302741918", "***"],
    ["60777", "***"],
    ["JobRun", "***"],
    ["client:anna", "***"],
    ["", "***"],
  ])("%j becomes %j", (address, expected) => {
    expect(maskAddress(address)).toBe(expected);
  });
});

describe("a redacted text", () => {
  it.each([
    ["sent to +447700903456.", "sent to +44*****3456."],
    ['{"to":"+447700903456","n":1}', '{"to":"+44*****3456","n":1}'],
    ["?To=%2B447700903456&x=1", "?To=+44*****3456&x=1"],
    ["whatsapp:+447700903456", "whatsapp:+44*****3456"],
    ["call +44 7700 903 456 now", "call +44*****3456 now"],
    ["call +44 (0)20 7946 0958", "call +44*****0958"],
    ["call 07700 903456 now", "call *** now"],
    ["call (212) 555-0123 now", "call *** now"],
    ["call 212.555.0123 now", "call *** now"],
    ["call 06.12.34.56.78 now", "call *** now"],
    ["call 030/1234567 now", "call *** now"],
    ["call 555-0123 now", "call *** now"],
    ["from 447700903456", "from ***"],
    ["me.07700903456", "me.***"],
    ["+447700903456 07700903457", "+44*****3456 ***"],
    ["07700 903456 07700 903457 07700 903458", "***"],
    ["+44 7700 903456 +44 7700 903457", "+44*****3456 +44*****3457"],
    ["+447700903456,+447700903457", "+44*****3456,+44*****3457"],
    ["to US.13491208655302741918.", "to US.*****1918."],
    ['{"to":"US.ENT.11815799212886844830"}', '{"to":"US.ENT.*****4830"}'],
    ["no customer BR.abcdefghij1klmnopqrs", "no customer BR.*****pqrs"],
    ["US.13491208655302741918,+447700903456", "US.*****1918,+44*****3456"],
  ])("%j becomes %j", (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it.each([
    ["Authorization: Bearer abc.def-1", "Authorization: Bearer ***"],
    ["authorization: Basic QUM6c2VjcmV0", "authorization: Basic ***"],
    ["key sk-proj-abcdefgh_1234 refused", "key *** refused"],
    [`token ${"0a".repeat(16)} refused`, "token *** refused"],
    [`secret ${"0A".repeat(32)}`, "secret ***"],
    ["jwt eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl", "jwt ***"],
    ["postgres://jobrun:s3cret@db/jobrun", "postgres://jobrun:***@db/jobrun"],
    ["token EAAGm0PX4ZCpsBAKz1234567", "token ***"],
  ])("%j becomes %j", (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it.each([
    "0192f0c1-7a3b-7000-8000-012345678901",
    "2026-11-03T10:15:30.123Z",
    "2026-11-03 10:15:30",
    "on 2026-11-03",
    "connect ECONNREFUSED 192.168.100.200:5432",
    `SM${"0a".repeat(16)}`,
    `AC${"0".repeat(32)}`,
    "SM9999999999",
    "error 21610, HTTP 400",
    "Retrying SMS send in 1000ms",
    "took 1234567 ns",
    "TypeError in ts.transpileModule2026 of IO.readEverythingAgain",
    "wamid.test-idempotence-1763756400",
  ])("%j stays as it is", (text) => {
    expect(redactText(text)).toBe(text);
  });

  it("Meta's id of a message loses the number in it, and keeps what tells it from others", () => {
    const id = "wamid.HBgLMTU1NTk4NzY1NDMVAgASGBQzQTAxMjM0NTY3ODlBQkNERUYwMQA=";
    expect(redactText(`sent ${id}`)).toBe("sent wamid.***NTY3ODlBQkNERUYwMQA=");
    expect(redactText(redactText(id))).toBe(redactText(id));
  });

  it("is not redacted further when redacted again", () => {
    const once = redactText("+447700903456 07700 903456 US.13491208655302741918 Bearer abc");
    expect(redactText(once)).toBe(once);
  });

  // An expression that backtracks would need hours for them.
  it.each([
    ["1-", "***-"],
    ["9", "***"],
    ["a:", "a:".repeat(1_000_000)],
    ["://", "://".repeat(666_666)],
    [" US.", " US.".repeat(500_000)],
  ])("reads two million hostile characters in one go: %j", (part, redacted) => {
    expect(redactText(part.repeat(2_000_000 / part.length))).toBe(redacted);
  });
});
