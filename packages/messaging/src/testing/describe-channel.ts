import { afterEach, describe, expect, it } from "@jest/globals";
import type { Channel, OutboundMessage, Receipt, SendOutcome, WebhookRequest } from "../channel.ts";
import { sendWithRetry } from "../retry.ts";
import { describeLog, type LogFixtures } from "./describe-log.ts";

export type { LogBehaviour, LogFixtures } from "./describe-log.ts";

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
  /** Requests made by the provider for our account, as it would sign them. */
  genuine: Record<string, WebhookRequest>;
  /** Requests nobody should believe: not signed, signed for something else, another account's. */
  forged: Record<string, WebhookRequest>;
  /** Parameters of a readable inbound message and what they say. */
  inbound: { params: WebhookRequest["params"]; from: string; to: string; body: string; id: string };
  /** Unreadable parameters by the problems they should be reported with. */
  malformed: { params: WebhookRequest["params"]; problems: string[] }[];
  outbound: OutboundMessage;
  against(behaviour: ProviderBehaviour): Promise<ChannelAgainstDouble>;
  /** A receipt of each status and what it says; the URLs are without a query. */
  receipts: Record<
    Receipt["status"],
    { request: ReceiptRequest; id: string; code: Receipt["code"] }
  >;
  /** Unreadable receipts by the problems they should be reported with. */
  malformedReceipts: { params: WebhookRequest["params"]; problems: string[] }[];
  /** For a channel with a log, and for no other. */
  log?: LogFixtures;
}

type ReceiptRequest = Pick<WebhookRequest, "url" | "params">;

const OUTCOMES: [ProviderBehaviour, Partial<SendOutcome>][] = [
  ["accepts", { kind: "accepted" }],
  ["refuses the recipient", { kind: "rejected", scope: "recipient" }],
  ["refuses an opted-out recipient", { kind: "rejected", scope: "opt-out" }],
  ["refuses the content", { kind: "rejected", scope: "content" }],
  ["refuses the account", { kind: "rejected", scope: "account" }],
  ["limits the rate for 2 s", { kind: "unavailable", retryAfterMs: 2000 }],
  ["is not there", { kind: "unavailable" }],
  ["resets after reading", { kind: "unknown" }],
  ["never answers", { kind: "unknown" }],
  ["fails with a bare 500", { kind: "unknown" }],
  ["accepts unreadably", { kind: "unknown" }],
];

/** The conformance suite of a channel: a provider that passes it can be registered. */
export function describeChannel(name: string, fixtures: ChannelFixtures): void {
  describe(`the ${name} channel`, () => {
    describeVerification(fixtures);
    describeParsing(fixtures);
    describeSending(fixtures);
    describeReceipts(fixtures);
    it("has fixtures for its log, if it has one", () => {
      expect(fixtures.log !== undefined).toBe(fixtures.channel.log !== undefined);
    });
    if (fixtures.log) describeLog(fixtures.log);
  });
}

function describeVerification({ channel, genuine, forged }: ChannelFixtures): void {
  it.each(Object.entries(genuine))("believes the provider: %s", (_name, request) => {
    expect(channel.verify(request)).toBe(true);
  });

  it.each(Object.entries(forged))("refuses a forgery: %s", (_name, request) => {
    expect(channel.verify(request)).toBe(false);
  });

  it("refuses every genuine request once its headers are gone", () => {
    for (const request of Object.values(genuine)) {
      expect(channel.verify({ ...request, headers: {} })).toBe(false);
    }
  });
}

function describeParsing({ channel, inbound, malformed }: ChannelFixtures): void {
  it("reads an inbound message", () => {
    const { params, from, to, body, id } = inbound;
    expect(channel.parse(params)).toMatchObject({
      ok: true,
      message: {
        channel: channel.name,
        provider: channel.provider,
        providerMessageId: id,
        from,
        to,
        body,
      },
    });
  });

  it.each(malformed)("names what is wrong with a message: $problems", ({ params, problems }) => {
    expect(channel.parse(params)).toEqual({ ok: false, problems });
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

  it.each(OUTCOMES)("when the provider %s, the outcome is %j", async (behaviour, expected) => {
    const { channel } = await open(behaviour);
    const outcome = await channel.send(outbound, new AbortController().signal);
    expect(outcome).toMatchObject(expected);
  });

  it.each(OUTCOMES.filter(([, { kind }]) => kind !== "unavailable"))(
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

const OWN_ID = "0192f0c1-7a3b-7000-8000-0000000000ab";

function describeReceipts({ channel, receipts, malformedReceipts }: ChannelFixtures): void {
  const all = Object.entries(receipts);
  const withOwnId = ({ url, params }: ReceiptRequest, id: string): ReceiptRequest => ({
    url: `${url}?m=${encodeURIComponent(id)}`,
    params,
  });

  it.each(all)("reads a receipt that says %s, with our own id", (status, receipt) => {
    const { request, id, code } = receipt;
    expect(channel.parseReceipt(withOwnId(request, OWN_ID))).toEqual({
      ok: true,
      receipt: {
        provider: channel.provider,
        providerMessageId: id,
        messageId: OWN_ID,
        status,
        code,
      },
    });
  });

  it.each(["", "1", `${OWN_ID}0`, `${OWN_ID}\0`, "'; DROP TABLE"])(
    "believes a receipt without our own id, and takes %j for none",
    (id) => {
      const { request } = receipts.DELIVERED;
      const anonymous = { ok: true, receipt: { messageId: null, status: "DELIVERED" } };
      expect(channel.parseReceipt(request)).toMatchObject(anonymous);
      expect(channel.parseReceipt(withOwnId(request, id))).toMatchObject(anonymous);
    },
  );

  it.each(malformedReceipts)(
    "names what is wrong with a receipt: $problems",
    ({ params, problems }) => {
      const { url } = receipts.SENT.request;
      expect(channel.parseReceipt({ url, params })).toEqual({ ok: false, problems });
    },
  );
}
