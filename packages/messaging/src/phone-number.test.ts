import { describe, expect, it } from "@jest/globals";
import { callingCode, normaliseAddress } from "./index.ts";

describe("the written form of an address", () => {
  it.each([
    ["+447700900123", undefined, "+447700900123"],
    [" 447700900123", undefined, "+447700900123"],
    [" +447700900123 ", undefined, "+447700900123"],
    ["+44 (0)7700 900-123", undefined, "+447700900123"],
    ["07700 900123", "GB", "+447700900123"],
    ["(212) 555-0123", "US", "+12125550123"],
    ["447400123456", undefined, "+447400123456"],
    // Not in any numbering plan, but in the shape of one.
    ["+15550001111", undefined, "+15550001111"],
    ["+1234567890", undefined, "+1234567890"],
    ["60777", undefined, "60777"],
    ["60777", "GB", "60777"],
    ["JobRun", undefined, "JobRun"],
    ["anonymous", undefined, "anonymous"],
    ["client:anna", undefined, "client:anna"],
  ])("%j (region %s) is written %j", (raw, region, expected) => {
    expect(normaliseAddress(raw, region)).toBe(expected);
  });

  it.each(["", " ", "+", "12", "07700900123", "999999999999", "+0123456789", "+1234567890123456"])(
    "%j is no address",
    (raw) => expect(normaliseAddress(raw)).toBeNull(),
  );

  it.each(["a\0b", "much too long a name", "+44\0", "<script>"])("%j is no address", (raw) => {
    expect(normaliseAddress(raw)).toBeNull();
  });

  it("does not change what it has written", () => {
    for (const address of ["+447700900123", "60777", "JobRun", "client:anna"]) {
      expect(normaliseAddress(address, "GB")).toBe(address);
    }
  });
});

describe("the calling code of an address", () => {
  it.each([
    ["+33612345678", "+33"],
    ["+447700900123", "+44"],
    ["+12125550123", "+1"],
    ["+18095550123", "+1"],
    ["+358401234567", "+358"],
  ])("of %s is %s", (address, expected) => {
    expect(callingCode(address)).toBe(expected);
  });

  it.each(["60777", "JobRun", "client:anna", "447700900123", "+9999999999", ""])(
    "%j has none",
    (address) => expect(callingCode(address)).toBeNull(),
  );
});
