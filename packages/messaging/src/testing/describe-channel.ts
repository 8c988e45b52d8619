import { afterEach, describe, expect, it } from "@jest/globals";
import type { Channel, OutboundMessage, SendOutcome } from "../channel.ts";
import { sendWithRetry } from "../retry.ts";
import { describeForms, type FormFixtures } from "./describe-forms.ts";
import { describeLog, type LogFixtures } from "./describe-log.ts";
import { describeWebhook, type WebhookFixtures } from "./describe-webhook.ts";

export type { FormFixtures } from "./describe-forms.ts";
export type { LogBehaviour, LogFixtures } from "./describe-log.ts";
export type { WebhookFixtures } from "./describe-webhook.ts";

/** How a provider behaves towards the next sends. */
export type ProviderBehaviour =
  | "accepts"
  | "refuses the recipient"
  | "refuses an opted-out recipient"
  | "refuses the content"
  | "refuses the account"
  | "limits the rate for 2 s"
  | "is not there"
  | "resets after reading"
  | "never answers"
  | "fails with a bare 500"
  | "accepts unreadably";

/**
 * A channel whose requests go to an HTTP double. Its time limit per attempt should be below 1 s for
 * a provider that never answers, and seconds for any other: machines can be slow.
 */
export interface ChannelAgainstDouble {
  channel: Channel;
  /** Requests the double has read so far. */
  requestCount(): number;
  close(): Promise<void>;
}

/** What the suite needs to know about a provider. */
export interface ChannelFixtures {
  channel: Channel;
  outbound: OutboundMessage;
  against(behaviour: ProviderBehaviour): Promise<ChannelAgainstDouble>;
  /** For a channel with a log, and for no other. */
  log?: LogFixtures;
  /** For a channel with an address per purpose. */
  forms?: FormFixtures;
  /** For a channel with one address for everything, and for no other. */
  webhook?: WebhookFixtures;
}

const OUTCOMES: [
  ProviderBehaviour,
  SendOutcome["kind"],
  { scope?: unknown; retryAfterMs?: number },
][] = [
  ["accepts", "accepted", {}],
  ["refuses the recipient", "rejected", { scope: "recipient" }],
  [
    "refuses an opted-out recipient",
    "rejected",
    { scope: expect.stringMatching(/^(marketing-)?opt-out$/) },
  ],
  ["refuses the content", "rejected", { scope: "content" }],
  ["refuses the account", "rejected", { scope: "account" }],
  ["limits the rate for 2 s", "unavailable", { retryAfterMs: 2000 }],
  ["is not there", "unavailable", {}],
  ["resets after reading", "unknown", {}],
  ["never answers", "unknown", {}],
  ["fails with a bare 500", "unknown", {}],
  ["accepts unreadably", "unknown", {}],
];

/** The conformance suite of a channel: a provider that passes it can be registered. */
export function describeChannel(name: string, fixtures: ChannelFixtures): void {
  describe(`the ${name} channel`, () => {
    const { channel, forms, webhook, log } = fixtures;
    it("has fixtures for what it has, and for at least one way in", () => {
      expect(log !== undefined).toBe(channel.log !== undefined);
      expect(webhook !== undefined).toBe(channel.webhook !== undefined);
      expect(forms ?? webhook).toBeDefined();
    });
    if (forms) describeForms(forms);
    if (webhook) describeWebhook(channel, webhook);
    describeSending(fixtures);
    if (log) describeLog(log);
  });
}

function describeSending({ outbound, against }: ChannelFixtures): void {
  let double: ChannelAgainstDouble | undefined;
  afterEach(async () => {
    await double?.close();
    double = undefined;
  });
  const open = async (behaviour: ProviderBehaviour): Promise<ChannelAgainstDouble> =>
    (double = await against(behaviour));

  it.each(OUTCOMES)("when the provider %s, the outcome is %s", async (behaviour, kind, more) => {
    const { channel } = await open(behaviour);
    const outcome = await channel.send(outbound, new AbortController().signal);
    expect(outcome).toMatchObject({ kind, ...more });
  });

  it.each(OUTCOMES.filter(([, kind]) => kind !== "unavailable"))(
    "when the provider %s, it is asked once",
    async (behaviour) => {
      const { channel, requestCount } = await open(behaviour);
      const signal = new AbortController().signal;
      await sendWithRetry(channel, outbound, { signal, delaysMs: [1, 1, 1] });
      expect(requestCount()).toBe(1);
    },
  );

  it("sends nothing when it was aborted before", async () => {
    const { channel, requestCount } = await open("accepts");
    const outcome = await channel.send(outbound, AbortSignal.abort());
    expect(outcome).toMatchObject({ kind: "unavailable" });
    expect(requestCount()).toBe(0);
  });

  it("does not know what became of a send aborted on its way", async () => {
    const { channel } = await open("never answers");
    const abort = new AbortController();
    const sending = channel.send(outbound, abort.signal);
    abort.abort();
    expect(await sending).toEqual({ kind: "unknown", code: "aborted" });
  });
}
