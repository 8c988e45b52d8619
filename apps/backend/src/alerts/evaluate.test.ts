import { describe, expect, it } from "@jest/globals";
import { defaultThresholds, evaluate, type Counters } from "./evaluate.ts";

const NOW = 10_000_000;
const MINUTE = 60_000;
const times = (count: number, agoMs: number) => Array.from({ length: count }, () => NOW - agoMs);

function active(change: Partial<Counters["process"]>, outbox: Counters["outbox"] = null) {
  const process = {
    signatureFailures: [],
    transactionFailures: [],
    assistantFailures: [],
    assistantAuthFailedAt: null,
    openBreakers: [],
    ...change,
  };
  return evaluate({ process, outbox }, defaultThresholds, NOW)
    .filter((signal) => signal.active)
    .map(({ type, severity }) => `${type} ${severity}`);
}

const quiet = { dead: 0, oldestUnknownSeconds: 0, oldestDeferredSeconds: 0, stops: [], held: 0 };

const everything = (channel: string) => ({
  channel,
  sender: "",
  recipientPrefix: "",
  code: "30002",
});

describe("the evaluation", () => {
  it.each([
    ["nothing", {}, quiet, []],
    ["9 bad signatures in 5 min", { signatureFailures: times(9, MINUTE) }, quiet, []],
    ["10 in 5 min", { signatureFailures: times(10, MINUTE) }, quiet, ["SIGNATURE_BURST critical"]],
    ["10, but 5 min ago", { signatureFailures: times(10, 5 * MINUTE) }, quiet, []],
    ["4 failed transactions", { transactionFailures: times(4, 1) }, quiet, []],
    ["5", { transactionFailures: times(5, 1) }, quiet, ["TRANSACTIONS_FAILING critical"]],
    ["4 failures of the assistant", { assistantFailures: times(4, 1) }, quiet, []],
    [
      "5 in 15 min",
      { assistantFailures: times(5, 14 * MINUTE) },
      quiet,
      ["ASSISTANT_FAILING critical"],
    ],
    ["refused credentials", { assistantAuthFailedAt: NOW }, quiet, ["ASSISTANT_AUTH critical"]],
    ["an open breaker", { openBreakers: ["twilio"] }, quiet, ["BREAKER_OPEN critical"]],
    ["a dead message", {}, { ...quiet, dead: 1 }, ["MESSAGE_DEAD critical"]],
    ["a stop", {}, { ...quiet, stops: [everything("sms")] }, ["CHANNEL_STOPPED critical"]],
    ["an unknown of 119 s", {}, { ...quiet, oldestUnknownSeconds: 119 }, []],
    ["of 120 s", {}, { ...quiet, oldestUnknownSeconds: 120 }, ["MESSAGE_UNKNOWN_STUCK warning"]],
    ["of 10 min", {}, { ...quiet, oldestUnknownSeconds: 600 }, ["MESSAGE_UNKNOWN_STUCK critical"]],
    [
      "a deferred one of 2 min",
      {},
      { ...quiet, oldestDeferredSeconds: 120 },
      ["DEFERRED_STUCK warning"],
    ],
    ["of 10 min", {}, { ...quiet, oldestDeferredSeconds: 600 }, ["DEFERRED_STUCK critical"]],
  ])("of %s", (_case, change, outbox, expected) => {
    expect(active(change, outbox)).toEqual(expected);
  });

  it("says nothing about a database that cannot be asked", () => {
    const types = evaluate(
      {
        process: {
          signatureFailures: [],
          transactionFailures: [],
          assistantFailures: [],
          assistantAuthFailedAt: null,
          openBreakers: [],
        },
        outbox: null,
      },
      defaultThresholds,
      NOW,
    ).map(({ type }) => type);
    expect(types).not.toContain("MESSAGE_DEAD");
    expect(types).toContain("TRANSACTIONS_FAILING");
  });
});
