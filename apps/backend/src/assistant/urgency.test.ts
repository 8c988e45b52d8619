import { describe, expect, it } from "@jest/globals";
import type { Assistant, AssistantReply } from "./assistant.ts";
import { contextOf } from "./test-context.ts";
import { detectUrgency, raiseUrgency, urgencies, withUrgencyNet, type Urgency } from "./urgency.ts";

describe("the keyword net", () => {
  it.each<[string, Urgency]>([
    ["water is coming through the ceiling, gas smell", "emergency"],
    ["GAS LEAK", "emergency"],
    ["fuite de GAZ", "emergency"],
    ["can’t get in, I’m locked out", "emergency"],
    ["no heating. We have a newborn", "emergency"],
    ["no heating", "today"],
    ["it's urgent!", "today"],
    ["dripping tap", "this_week"],
    ["whenever suits", "flexible"],
    ["hello", "unknown"],
    ["", "unknown"],
  ])("hears %s as %s", (text, urgency) => {
    expect(detectUrgency(text)).toBe(urgency);
  });

  it.each<[string, Urgency]>([
    ["not urgent", "flexible"],
    ["no leak any more", "unknown"],
    ["no smell of gas", "unknown"],
    ["the burst pipe is fixed", "unknown"],
    ["it's not a flood", "unknown"],
    ["pas de fuite", "unknown"],
    ["il n'y a plus de fumée", "unknown"],
    ["small leak, not urgent", "flexible"],
    ["we had a flood last year", "unknown"],
  ])("hears the negation in: %s", (text, urgency) => {
    expect(detectUrgency(text)).toBe(urgency);
  });

  it.each<[string, Urgency]>([
    ["no hot water and I smell gas", "emergency"],
    ["no, the pipe burst", "emergency"],
    ["not sure if it's a gas leak", "emergency"],
    ["I'm not joking there is a fire", "emergency"],
    ["it has not stopped leaking gas", "emergency"],
    ["not urgent but I smell gas", "emergency"],
  ])("does not let a negation hide a danger it does not deny: %s", (text, urgency) => {
    expect(detectUrgency(text)).toBe(urgency);
  });

  it.each([
    "gas bill",
    "new fireplace",
    "emergency call out charges",
    "sparkling clean",
    "burst of laughter",
  ])("hears whole words and known phrases only: %s", (text) => {
    expect(detectUrgency(text)).toBe("unknown");
  });

  // An expression that backtracks would need hours for them.
  it.each([
    ["smell ", "unknown"],
    ["a", "unknown"],
    ["water leak ", "today"],
    ["not a ", "unknown"],
    ["gas of like ", "unknown"],
  ])("reads two million hostile characters in one go: %j", (word, urgency) => {
    expect(detectUrgency(word.repeat(2_000_000 / word.length))).toBe(urgency);
  });
});

it("raising takes the more urgent of any two, whichever comes first", () => {
  for (const [low, a] of urgencies.entries()) {
    for (const b of urgencies.slice(low)) {
      expect([raiseUrgency(a, b), raiseUrgency(b, a)]).toEqual([b, b]);
    }
  }
});

describe("an assistant in the net", () => {
  const job = {
    summary: "leak",
    type: null,
    location: null,
    requestedTime: null,
    customerName: null,
  };
  function saying(over: Partial<AssistantReply>): Assistant {
    const reply: AssistantReply = {
      text: "Noted.",
      intent: "job_request",
      urgency: "unknown",
      job,
      needsHuman: false,
      ...over,
    };
    return {
      provider: "openai",
      reply: async () => ({ reply, usage: { tokensIn: 1, tokensOut: 2 } }),
    };
  }
  const { signal } = new AbortController();

  it("cannot overlook an emergency in any text of the turn", async () => {
    const texts = ["Hi", "I smell gas", "number 12"].map((text) => ({ text, media: [] }));
    const net = withUrgencyNet(saying({ urgency: "flexible" }));
    const { reply, usage } = await net.reply(contextOf("", { texts }), signal);
    expect(reply.urgency).toBe("emergency");
    expect(usage).toEqual({ tokensIn: 1, tokensOut: 2 });
  });

  it("keeps what it says when that is more urgent", async () => {
    const net = withUrgencyNet(saying({ urgency: "emergency" }));
    const { reply } = await net.reply(contextOf("not urgent"), signal);
    expect(reply.urgency).toBe("emergency");
  });

  it("gets a job for an emergency it made none for, in the customer's words", async () => {
    const net = withUrgencyNet(saying({ job: null, intent: "other" }));
    const { reply } = await net.reply(contextOf("water is coming through the ceiling"), signal);
    expect(reply.job).toEqual({ ...job, summary: "water is coming through the ceiling" });
  });

  it.each([
    ["today", "now there is smoke"],
    ["emergency", job.summary],
  ] as const)(
    "gets the open job back for an emergency, by the words of its first: open as %s",
    async (urgency, summary) => {
      const openJob = { ...job, location: "12 Mill Lane", urgency };
      const net = withUrgencyNet(saying({ job: null }));
      const { reply } = await net.reply(contextOf("now there is smoke", { openJob }), signal);
      expect(reply.job).toEqual({ ...job, summary, location: "12 Mill Lane" });
    },
  );

  it("gets no job when there is no emergency", async () => {
    const net = withUrgencyNet(saying({ job: null }));
    const { reply } = await net.reply(contextOf("hello"), signal);
    expect(reply.job).toBeNull();
  });
});
