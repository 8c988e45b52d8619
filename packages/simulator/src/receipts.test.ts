import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import { startSimulator } from "./index.ts";
import type { ReceiptPlan, Simulator } from "./index.ts";
import { openServer, type TestServer } from "./testing/open-server.ts";

const CUSTOMER = "+447123456789";
const BUSINESS = "+447987654321";

interface Received {
  id: string | null;
  status: string | undefined;
  errorCode: string | undefined;
  valid: boolean;
}

let simulator: Simulator;
let gateway: TestServer;
let received: Received[];
let onReceipt: () => void;
/** The gateway answers no receipt before this. */
let held: Promise<void>;

beforeEach(async () => {
  simulator = await startSimulator();
  received = [];
  onReceipt = () => undefined;
  held = Promise.resolve();
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const params = Object.fromEntries(new URLSearchParams(await text(request)));
    const url = new URL(request.url ?? "", gateway.url);
    const signature = String(request.headers["x-twilio-signature"]);
    received.push({
      id: url.searchParams.get("m"),
      status: params["MessageStatus"],
      errorCode: params["ErrorCode"],
      valid: twilio.validateRequest(simulator.authToken, signature, url.href, params),
    });
    onReceipt();
    await held;
    response.writeHead(204).end();
  };
  gateway = await openServer(listener);
});

afterEach(async () => {
  await simulator.close();
  gateway.close();
});

function client(of = simulator) {
  const sdk = twilio(of.accountSid, of.authToken, { timeout: 20_000 });
  sdk.api.baseUrl = of.twilioUrl;
  return sdk;
}

const create = (id: string, of = simulator) =>
  client(of).messages.create({
    from: BUSINESS,
    to: CUSTOMER,
    body: "Hello",
    statusCallback: `${gateway.url}/status?m=${id}`,
  });

/** Resolves when that many receipts have come in all. */
function receipts(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onReceipt = () => {
    if (received.length >= count) resolve();
  };
  onReceipt();
  return promise;
}

const statuses = () => received.map(({ status }) => status);

describe("a receipt plan", () => {
  it("without anything said posts sent, then delivered, signed", async () => {
    simulator.setFaults({ receipts: {} });
    await create("1");
    await receipts(2);
    expect(received).toEqual([
      { id: "1", status: "sent", errorCode: undefined, valid: true },
      { id: "1", status: "delivered", errorCode: undefined, valid: true },
    ]);
  });

  it("keeps to its delays", async () => {
    simulator.setFaults({ receipts: { minDelayMs: 60, maxDelayMs: 80 } });
    const startedAt = performance.now();
    await create("1");
    await receipts(2);
    // Timers count whole milliseconds and may be 1 ms early.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(59);
    expect(statuses()).toEqual(["sent", "delivered"]);
  });

  it("posts extra copies, each a signed request, in order", async () => {
    simulator.setFaults({ receipts: { repeat: 2 } });
    await create("1");
    await receipts(6);
    expect(statuses()).toEqual(["sent", "sent", "sent", "delivered", "delivered", "delivered"]);
    expect(received.every(({ valid }) => valid)).toBe(true);
  });

  it("with shuffle lets delivered arrive before sent, and the log keeps the end", async () => {
    simulator.setFaults({ receipts: { shuffle: true, maxDelayMs: 30 } });
    const messages = await Promise.all(Array.from({ length: 30 }, (_, i) => create(String(i))));
    await receipts(60);
    const firsts = messages.map((_, i) => received.find(({ id }) => id === String(i))?.status);
    expect(new Set(firsts)).toEqual(new Set(["sent", "delivered"]));
    const logged = await client().messages.list();
    expect(new Set(logged.map(({ status }) => status))).toEqual(new Set(["delivered"]));
  });

  it("with shuffle posts a receipt while the one before it is unanswered", async () => {
    simulator.setFaults({ receipts: { shuffle: true } });
    const both = receipts(2);
    held = both;
    await create("1");
    await both;
    expect(statuses().toSorted()).toEqual(["delivered", "sent"]);
  });

  it("loses a share of the receipts, while the texts arrive all the same", async () => {
    simulator.setFaults({ receipts: { loseShare: 0.5, repeat: 3 } });
    await Promise.all(Array.from({ length: 20 }, (_, i) => create(String(i))));
    for (let delivered = 0; delivered < 20;) {
      const logged = await client().messages.list();
      delivered = logged.filter(({ status }) => status === "delivered").length;
    }
    // Of 160 at most; the last copies of `delivered` may still be on their way.
    expect(received.length).toBeGreaterThan(20);
    expect(received.length).toBeLessThan(130);
  });

  it("beforeAnswer: the gateway has the first receipt before the answer to its create", async () => {
    simulator.setFaults({ receipts: { beforeAnswer: true, minDelayMs: 60_000 } });
    const message = await create("1");
    expect(received).toMatchObject([{ id: "1", status: "sent", valid: true }]);
    expect(message.status).toBe("queued");
  });

  it("beforeAnswer: also when the create is then never answered", async () => {
    simulator.setFaults({
      twilio: { kind: "accept-then-reset" },
      receipts: { beforeAnswer: true, minDelayMs: 60_000 },
    });
    await expect(create("1")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(statuses()).toEqual(["sent"]);
  });

  it.each<{ plan: ReceiptPlan; posts: string[]; errorCode: number }>([
    {
      plan: { final: "undelivered", errorCode: 30003 },
      posts: ["sent", "undelivered"],
      errorCode: 30003,
    },
    { plan: { final: "failed", errorCode: 30005 }, posts: ["failed"], errorCode: 30005 },
    { plan: { final: "failed" }, posts: ["failed"], errorCode: 30008 },
  ])("can end in $plan.final with $errorCode", async ({ plan, posts, errorCode }) => {
    simulator.setFaults({ receipts: plan });
    const { sid } = await create("1");
    await receipts(posts.length);
    expect(statuses()).toEqual(posts);
    expect(received.at(-1)?.errorCode).toBe(String(errorCode));
    const logged = await client().messages(sid).fetch();
    expect(logged).toMatchObject({ status: posts.at(-1), errorCode });
  });
});

describe("receipts still to come", () => {
  it("end with a reset", async () => {
    simulator.setFaults({ receipts: { minDelayMs: 800 } });
    await create("before");
    simulator.reset();
    simulator.setFaults({ receipts: { minDelayMs: 900 } });
    await create("after");
    await receipts(2);
    expect(received.map(({ id }) => id)).toEqual(["after", "after"]);
  });

  it("end when the simulator closes", async () => {
    simulator.setFaults({ receipts: { minDelayMs: 800 } });
    await create("before");
    await simulator.close();
    simulator = await startSimulator();
    simulator.setFaults({ receipts: { minDelayMs: 900 } });
    await create("after");
    await receipts(2);
    expect(received.map(({ id }) => id)).toEqual(["after", "after"]);
  });
});

describe("the log without receipts", () => {
  it("shows a date once a text has left the queue", async () => {
    const queued = await create("1");
    expect(queued.dateSent).toBeNull();
    const [logged] = await client().messages.list();
    expect(logged).toMatchObject({ status: "sent", dateSent: expect.any(Date) });
  });
});
