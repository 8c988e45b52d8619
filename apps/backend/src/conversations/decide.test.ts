import { describe, expect, it } from "@jest/globals";
import type { Limits } from "../limits/limits-of.ts";
import type { OverLimit } from "../limits/rate.ts";
import { decide as decideOn } from "./decide.ts";
import type { View } from "./prepare.ts";

const NUMBER = "+447987654321";
const WORDS = "please stop texting me";

/** On a channel whose provider answers keywords itself. */
const decide = (known: View, texts: string[], limits?: Pick<Limits, "quota" | "overRate">) =>
  decideOn(
    known,
    texts.map((body) => ({ body, silent: false })),
    { answersKeywords: true },
    limits,
  );

const allowed: Limits["quota"] = { kind: "allowed", remaining: 1 };
const usedUp: Limits["quota"] = {
  kind: "exceeded",
  reason: "monthly_messages",
  period: "2026-11",
  currentUsage: 10,
  limit: 10,
  told: false,
};
const over: OverLimit = {
  scope: "conversation",
  currentCount: 6,
  limit: 5,
  windowSeconds: 30,
  alreadyNotified: false,
};
const GAS = "There is a strong smell of gas";

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
      plan: "enterprise",
      limits: {},
      ...tenant,
    },
    numbers: { texted: NUMBER, operator: NUMBER },
    customer: {
      id: "00000000-0000-7000-8000-000000000002",
      phone: "+447123456789",
      userId: null,
      optedOut,
    },
    others: [],
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
    now: Date.UTC(2026, 10, 21),
    quota: {
      day: "2026-11-21",
      blockedFor: null,
      usage: { messages: 0, dayTokens: 0 },
      toldOn: null,
      terms: "",
    },
    recent: [],
  };
}

describe("of the rules, the first that speaks decides", () => {
  it("the assistant is asked when none does, by script when the tenant wants no model", () => {
    expect(decide(view(), ["Hello"])).toMatchObject({ kind: "assistant", scripted: false });
    expect(decide(view({ aiDisabled: true }), ["Hello"])).toMatchObject({ scripted: true });
  });

  it("a human who has taken over gets the words and answers, not the assistant", () => {
    const known = view({ humanTakenOver: true });
    const own = { kind: "fixed", reply: null, forward: true };
    expect(decide(known, ["Hello"])).toMatchObject(own);
  });

  it("a paused tenant deflects, also while a human has taken over", () => {
    const known = view({ outboundPaused: true, humanTakenOver: true });
    expect(decide(known, ["Hello"])).toMatchObject({
      reply: expect.stringMatching(/^Thanks for your message! We're temporarily unable.*\+447987/),
    });
  });

  it("a keyword is not answered, not even by a paused tenant", () => {
    for (const word of ["STOP", "start"])
      expect(decide(view({ outboundPaused: true }), [word])).toMatchObject({
        kind: "fixed",
        reply: null,
        confirmation: null,
      });
  });
});

describe("consent", () => {
  it("is what the last text that speaks of it says", () => {
    const last = (...texts: string[]) => decide(view(), texts).consent?.optedOut;
    expect(last("STOP", "START")).toBe(false);
    expect(last("START", WORDS)).toBe(true);
    expect(last("STOP", "I have a leak")).toBe(true);
    expect(last("I have a leak")).toBeUndefined();
  });

  it("an opt-out in one text leaves the others to the assistant, silently", () => {
    expect(decide(view(), ["There is a gas leak", WORDS])).toMatchObject({
      kind: "assistant",
      silent: true,
      confirmation: expect.stringContaining("Hill Street Plumbing"),
    });
  });

  it("a customer who is opted out is not told so again, and hears no deflection", () => {
    const known = view({ optedOut: true, outboundPaused: true });
    for (const text of [WORDS, "Hello"])
      expect(decide(known, [text])).toMatchObject({ reply: null, confirmation: null });
  });

  it("START among other texts lets the reply out", () => {
    const decision = decide(view({ optedOut: true }), ["START", "I have a leak"]);
    expect(decision).toMatchObject({ kind: "assistant", silent: false, confirmation: null });
  });
});

describe("limits", () => {
  const refused = { quota: usedUp, overRate: [over] };

  it("come after consent and a pause, and before a human who has taken over", () => {
    expect(decide(view(), ["STOP"], refused)).toMatchObject({ reply: null, refusal: null });
    const paused = decide(view({ outboundPaused: true }), ["Hello"], refused);
    expect(paused).toMatchObject({ refusal: null, overRate: { places: [], notice: null } });
    const taken = view({ humanTakenOver: true });
    expect(decide(taken, ["Hello"], refused)).toMatchObject({ refusal: usedUp, forward: true });
    expect(decide(taken, ["Hello"], { quota: allowed, overRate: [over] })).toMatchObject({
      forward: true,
      overRate: { places: [0], notice: expect.stringContaining("Too many messages") },
    });
  });

  it("of the quota come before those of a rate", () => {
    const decision = decide(view(), ["Hello"], refused);
    expect(decision).toMatchObject({ reply: expect.stringContaining("this month") });
    expect(decision.overRate).toEqual({ places: [], notice: null });
  });

  it("leave to the assistant what is within the rate, and tell the customer of the rest", () => {
    const limits = { quota: allowed, overRate: [null, null, over] };
    expect(decide(view(), ["A", "B", "C"], limits)).toMatchObject({
      kind: "assistant",
      places: [0, 1],
      counted: true,
      overRate: { places: [2], notice: expect.stringContaining("Too many messages") },
    });
  });

  it("say nothing to a customer who was told, or who wants no texts", () => {
    const told = { quota: { ...usedUp, told: true }, overRate: [] };
    expect(decide(view(), ["Hello"], told)).toMatchObject({ reply: null, refusal: { told: true } });
    expect(decide(view({ optedOut: true }), ["Hello"], refused)).toMatchObject({ reply: null });
    const late = { quota: allowed, overRate: [{ ...over, alreadyNotified: true }] };
    expect(decide(view(), ["Hello"], late).overRate).toEqual({ places: [0], notice: null });
    const mute = decide(view({ optedOut: true }), ["Hello"], { quota: allowed, overRate: [over] });
    expect(mute.overRate).toEqual({ places: [0], notice: null });
  });

  it("are passed by an emergency, by the script, at nobody's cost", () => {
    const passes = { kind: "assistant", scripted: true, counted: false, places: [0] };
    expect(decide(view(), [GAS], { quota: usedUp, overRate: [] })).toMatchObject(passes);
    expect(decide(view(), [GAS], refused)).toMatchObject(passes);
    const limits = { quota: allowed, overRate: [over] };
    const decision = decide(view(), [GAS], limits);
    expect(decision).toMatchObject({ ...passes, overRate: { places: [0], notice: null } });
  });

  it("hold for an emergency over the rate that the operator knows of, who reads it", () => {
    const job = { summary: "Gas", type: null, location: null, requestedTime: null };
    const open = { ...job, customerName: null, id: "job", number: 7, status: "URGENT" };
    const known = { ...view(), openJob: { ...open, urgency: "emergency" as const } };
    expect(decide(known, [GAS], { quota: allowed, overRate: [over] })).toMatchObject({
      kind: "fixed",
      forward: true,
      overRate: { notice: expect.stringContaining("Too many messages") },
    });
  });
});
