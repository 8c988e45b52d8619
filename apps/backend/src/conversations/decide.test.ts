import { describe, expect, it } from "@jest/globals";
import { decide } from "./decide.ts";
import type { View } from "./prepare.ts";

const NUMBER = "+447987654321";
const WORDS = "please stop texting me";

type Known = Partial<View["tenant"]> & { optedOut?: boolean; humanTakenOver?: boolean };

function view({ optedOut = false, humanTakenOver = false, ...tenant }: Known = {}): View {
  return {
    tenant: {
      id: "00000000-0000-7000-8000-000000000001",
      name: "Hill Street Plumbing",
      locale: "en",
      operatorPhone: "+447700900123",
      outboundPaused: false,
      aiDisabled: false,
      ...tenant,
    },
    customer: { id: "00000000-0000-7000-8000-000000000002", optedOut },
    conversation: {
      id: "00000000-0000-7000-8000-000000000003",
      mode: "OPERATIONAL",
      revision: 1,
      humanTakenOver,
    },
    history: [],
    deferred: [],
    openJob: null,
    knownIds: [],
  };
}

describe("of the rules, the first that speaks decides", () => {
  it("the assistant is asked when none does, by script when the tenant wants no model", () => {
    expect(decide(view(), ["Hello"], NUMBER)).toMatchObject({ kind: "assistant", scripted: false });
    expect(decide(view({ aiDisabled: true }), ["Hello"], NUMBER)).toMatchObject({ scripted: true });
  });

  it("a human who has taken over gets the words and answers, not the assistant", () => {
    const known = view({ humanTakenOver: true });
    const own = { kind: "fixed", reply: null, forward: true };
    expect(decide(known, ["Hello"], NUMBER)).toMatchObject(own);
  });

  it("a paused tenant deflects, also while a human has taken over", () => {
    const known = view({ outboundPaused: true, humanTakenOver: true });
    expect(decide(known, ["Hello"], NUMBER)).toMatchObject({
      reply: expect.stringMatching(/^Thanks for your message! We're temporarily unable.*\+447987/),
    });
  });

  it("a keyword is not answered, not even by a paused tenant", () => {
    for (const word of ["STOP", "start"])
      expect(decide(view({ outboundPaused: true }), [word], NUMBER)).toMatchObject({
        kind: "fixed",
        reply: null,
        confirmation: null,
      });
  });
});

describe("consent", () => {
  it("is what the last text that speaks of it says", () => {
    const last = (...texts: string[]) => decide(view(), texts, NUMBER).consent?.optedOut;
    expect(last("STOP", "START")).toBe(false);
    expect(last("START", WORDS)).toBe(true);
    expect(last("STOP", "I have a leak")).toBe(true);
    expect(last("I have a leak")).toBeUndefined();
  });

  it("an opt-out in one text leaves the others to the assistant, silently", () => {
    expect(decide(view(), ["There is a gas leak", WORDS], NUMBER)).toMatchObject({
      kind: "assistant",
      silent: true,
      confirmation: expect.stringContaining("Hill Street Plumbing"),
    });
  });

  it("a customer who is opted out is not told so again, and hears no deflection", () => {
    const known = view({ optedOut: true, outboundPaused: true });
    for (const text of [WORDS, "Hello"])
      expect(decide(known, [text], NUMBER)).toMatchObject({ reply: null, confirmation: null });
  });

  it("START among other texts lets the reply out", () => {
    const decision = decide(view({ optedOut: true }), ["START", "I have a leak"], NUMBER);
    expect(decision).toMatchObject({ kind: "assistant", silent: false, confirmation: null });
  });
});
