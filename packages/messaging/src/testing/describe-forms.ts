import { expect, it } from "@jest/globals";
import type { Channel, FormWebhooks, Receipt, WebhookRequest } from "../channel.ts";

/** What the suite needs to know about a provider that calls an address per purpose. */
export interface FormFixtures {
  channel: Channel & FormWebhooks;
  /** Requests made by the provider for our account, as it would sign them. */
  genuine: Record<string, WebhookRequest>;
  /** Requests nobody should believe: not signed, signed for something else, another account's. */
  forged: Record<string, WebhookRequest>;
  /** Parameters of a readable inbound message and what they say. */
  inbound: { params: WebhookRequest["params"]; from: string; to: string; body: string; id: string };
  /** Unreadable parameters by the problems they should be reported with. */
  malformed: { params: WebhookRequest["params"]; problems: string[] }[];
  /** A receipt of each status and what it says; the URLs are without a query. */
  receipts: Record<
    Receipt["status"],
    { request: ReceiptRequest; id: string; code: Receipt["code"] }
  >;
  /** Unreadable receipts by the problems they should be reported with. */
  malformedReceipts: { params: WebhookRequest["params"]; problems: string[] }[];
}

type ReceiptRequest = Pick<WebhookRequest, "url" | "params">;

/** The part of the conformance suite about the way in of a provider with an address per purpose. */
export function describeForms(fixtures: FormFixtures): void {
  describeVerification(fixtures);
  describeParsing(fixtures);
  describeReceipts(fixtures);
}

function describeVerification({ channel, genuine, forged }: FormFixtures): void {
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

function describeParsing({ channel, inbound, malformed }: FormFixtures): void {
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

const OWN_ID = "0192f0c1-7a3b-7000-8000-0000000000ab";

function describeReceipts({ channel, receipts, malformedReceipts }: FormFixtures): void {
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
