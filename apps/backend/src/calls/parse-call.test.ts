import { describe, expect, it } from "@jest/globals";
import { parseCall } from "./parse-call.ts";

const params = {
  CallSid: "CA00000000000000000000000000000001",
  From: "+447123456789",
  To: "+447987654321",
  CallStatus: "no-answer",
  Direction: "inbound",
};

describe("parseCall", () => {
  it("reads who called whom and how it ended", () => {
    expect(parseCall({ ...params, DialCallStatus: "busy", CallerCity: "" })).toEqual({
      ok: true,
      call: {
        rootSid: params.CallSid,
        caller: { kind: "phone", address: params.From },
        called: params.To,
        status: "no-answer",
        dialStatus: "busy",
        isOutboundLeg: false,
      },
    });
  });

  it("knows a call by its first leg, whichever leg is reported", () => {
    const child = { ...params, ParentCallSid: "CAparent", Direction: "outbound-dial" };
    expect(parseCall(child)).toMatchObject({ call: { rootSid: "CAparent", isOutboundLeg: true } });
    const parent = { ...params, ParentCallSid: "" };
    expect(parseCall(parent)).toMatchObject({ call: { rootSid: params.CallSid } });
  });

  it.each([
    ["", "anonymous"],
    ["anonymous", "anonymous"],
    ["Anonymous", "anonymous"],
    ["Restricted", "anonymous"],
    ["unknown", "anonymous"],
    ["+266696687", "anonymous"],
    ["266696687", "anonymous"],
    ["+7378742833", "anonymous"],
    ["+2562533", "anonymous"],
    ["+8656696", "anonymous"],
    ["+86282452253", "anonymous"],
    ["60777", "short_code"],
    ["client:anna", "not_a_phone"],
    ["sip:anna@example.com", "not_a_phone"],
    ["whatsapp:+447123456789", "not_a_phone"],
    ["\0", "not_a_phone"],
    ["+44 7123 456789", "phone"],
    [" 447123456789", "phone"],
  ])("takes the caller %j for %s", (From, kind) => {
    expect(parseCall({ ...params, From })).toMatchObject({ ok: true, call: { caller: { kind } } });
  });

  it("takes a caller that is not given for an anonymous one", () => {
    const { From: _, ...rest } = params;
    expect(parseCall(rest)).toMatchObject({ call: { caller: { kind: "anonymous" } } });
  });

  it("needs no id, as in an unsigned request, and no status, as when a call begins", () => {
    expect(parseCall({ From: params.From, To: params.To })).toMatchObject({
      ok: true,
      call: { rootSid: null, status: null, dialStatus: null },
    });
  });

  it("takes an end of the operator's leg that it does not know for none", () => {
    expect(parseCall({ ...params, DialCallStatus: "abducted" })).toMatchObject({
      ok: true,
      call: { dialStatus: null },
    });
  });

  it.each([
    ["To", { ...params, To: "" }],
    ["To", { ...params, To: "nobody at all, really" }],
    ["CallStatus", { ...params, CallStatus: "abducted" }],
    ["CallSid", { ...params, CallSid: "C".repeat(65) }],
    ["From", { ...params, From: ["+447123456789", "+447123456780"] }],
  ])("names %s as a problem, and shows no value", (field, given) => {
    expect(parseCall(given)).toEqual({ ok: false, problems: [field] });
  });

  it("puts the default in the place of a missing receiver only", () => {
    const to = "+447700900000";
    expect(parseCall({ ...params, To: "" }, { to })).toMatchObject({ call: { called: to } });
    expect(parseCall(params, { to })).toMatchObject({ call: { called: params.To } });
  });
});
