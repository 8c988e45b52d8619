import { describe, expect, it } from "@jest/globals";
import type {
  Channel,
  ChannelWebhook,
  InboundMessage,
  Receipt,
  WebhookItem,
  WebhookRequest,
} from "../channel.ts";

/** What the suite needs to know about a provider that reports everything at one address. */
export interface WebhookFixtures {
  /** Requests made by the provider for our account, as it would sign them. */
  genuine: Record<string, WebhookRequest>;
  /** Requests nobody should believe: not signed, signed for something else. */
  forged: Record<string, WebhookRequest>;
  /** Bodies with one message each, and what they say. */
  inbound: Record<string, { body: Buffer; message: Partial<InboundMessage> }>;
  /** A body with a message that names no receiver of ours. */
  withoutReceiver: Buffer;
  /** A body with one receipt of each status, with our own id or what stands in its place. */
  receipts: Record<
    Receipt["status"],
    { bodyWith: (ownId: string) => Buffer; id: string; code: Receipt["code"] }
  >;
  /** Bodies that cannot be read at all, by the problems they should be reported with. */
  malformed: Record<string, { body: Buffer; problems: string[] }>;
  /** The provider's question whether the address is ours, and what proves that it is. */
  challenge: {
    query: Record<string, string>;
    answer: string;
    /** Each of these in its place and it is not the provider who asks. */
    wrong: Record<string, string>;
  };
}

const OWN_ID = "0192f0c1-7a3b-7000-8000-0000000000ab";

/** The part of the conformance suite about the way in of a provider with one address. */
export function describeWebhook(
  { name, provider, webhook }: Pick<Channel, "name" | "provider" | "webhook">,
  fixtures: WebhookFixtures,
): void {
  if (!webhook) return;
  describe("at its webhook", () => {
    describeVerification(webhook, fixtures);
    describeMessages(webhook, fixtures, { channel: name, provider });
    describeReceipts(webhook, fixtures, provider);
    describeChallenge(webhook, fixtures);
  });
}

function describeVerification(webhook: ChannelWebhook, { genuine, forged }: WebhookFixtures): void {
  it.each(Object.entries(genuine))("believes the provider: %s", (_name, request) => {
    expect(webhook.verify(request)).toBe(true);
  });

  it.each(Object.entries(forged))("refuses a forgery: %s", (_name, request) => {
    expect(webhook.verify(request)).toBe(false);
  });

  it("refuses every genuine request once its headers are gone", () => {
    for (const request of Object.values(genuine)) {
      expect(webhook.verify({ ...request, headers: {} })).toBe(false);
    }
  });
}

function describeMessages(
  webhook: ChannelWebhook,
  { inbound, withoutReceiver, malformed }: WebhookFixtures,
  origin: Pick<InboundMessage, "channel" | "provider">,
): void {
  it.each(Object.entries(inbound))("reads a message: %s", (_name, { body, message }) => {
    expect(itemsOf(webhook, body)).toEqual([
      { kind: "message", message: expect.objectContaining({ ...origin, ...message }) },
    ]);
  });

  it("lets the default stand in for a missing receiver, and guesses none without it", () => {
    expect(itemsOf(webhook, withoutReceiver)).toMatchObject([{ kind: "unroutable" }]);
    expect(itemsOf(webhook, withoutReceiver, { to: "4711" })).toMatchObject([
      { kind: "message", message: { to: "4711" } },
    ]);
  });

  it.each(Object.entries(malformed))("names what is wrong: %s", (_name, { body, problems }) => {
    expect(webhook.read(body)).toEqual({ ok: false, problems });
  });
}

function describeReceipts(
  webhook: ChannelWebhook,
  { receipts }: WebhookFixtures,
  provider: string,
): void {
  it.each(Object.entries(receipts))(
    "reads a receipt that says %s, with our own id",
    (status, { bodyWith, id, code }) => {
      const receipt = { provider, providerMessageId: id, messageId: OWN_ID, status, code };
      expect(itemsOf(webhook, bodyWith(OWN_ID))).toEqual([{ kind: "receipt", receipt }]);
    },
  );

  it.each(["", "1", `${OWN_ID}0`, `${OWN_ID} `, "'; DROP TABLE"])(
    "believes a receipt without our own id, and takes %j for none",
    (id) => {
      expect(itemsOf(webhook, receipts.DELIVERED.bodyWith(id))).toMatchObject([
        { kind: "receipt", receipt: { messageId: null, status: "DELIVERED" } },
      ]);
    },
  );
}

function describeChallenge(webhook: ChannelWebhook, { challenge }: WebhookFixtures): void {
  const { query, answer, wrong } = challenge;

  it("proves to the provider that the address is ours", () => {
    expect(webhook.challenge(new URLSearchParams(query))).toBe(answer);
  });

  it.each(Object.entries(wrong))("proves nothing to whoever asks with %s=%s", (name, value) => {
    expect(webhook.challenge(new URLSearchParams({ ...query, [name]: value }))).toBeNull();
  });

  it("proves nothing to whoever leaves out a part of the question", () => {
    for (const name of Object.keys(query)) {
      const { [name]: _left, ...rest } = query;
      expect(webhook.challenge(new URLSearchParams(rest))).toBeNull();
    }
  });
}

function itemsOf(webhook: ChannelWebhook, body: Buffer, defaults?: { to?: string }): WebhookItem[] {
  const result = webhook.read(body, defaults);
  if (!result.ok) throw new Error(result.problems.join());
  return result.items;
}
