import { createHmac } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startSimulator } from "../index.ts";
import type { Simulator } from "../index.ts";
import { openServer, type TestServer } from "../testing/open-server.ts";

const PERSON = "+33612345678";

interface Received {
  method: string | undefined;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

interface Envelope {
  object: string;
  entry: { id: string; changes: { field: string; value: Record<string, unknown> }[] }[];
}

let simulator: Simulator;
let gateway: TestServer;
let webhook: string;
let received: Received[];
/** The status of each answer; 200 once they are used up. */
let answers: number[];
/** What the gateway answers to the question whether the address is its own. */
let challenge: (query: URLSearchParams) => string;

beforeEach(async () => {
  received = [];
  answers = [];
  challenge = (query) => query.get("hub.challenge") ?? "";
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? "";
    const body = await text(request);
    received.push({ method: request.method, url, headers: request.headers, body });
    const question = new URL(url, "http://gateway").searchParams;
    response.writeHead(answers.shift() ?? 200);
    response.end(request.method === "GET" ? challenge(question) : "OK");
  };
  gateway = await openServer(listener);
  webhook = `${gateway.url}/webhook`;
  simulator = await startSimulator({ whatsApp: { webhookUrl: webhook } });
});

afterEach(async () => {
  await simulator.close();
  gateway.close();
});

const envelopes = () => received.map(({ body }) => JSON.parse(body) as Envelope);
const values = () =>
  envelopes().flatMap(({ entry }) => entry.flatMap((one) => one.changes.map(({ value }) => value)));
const hmac = (secret: string, body: string) =>
  createHmac("sha256", secret).update(body).digest("hex");

describe("a text", () => {
  it("comes in Meta's envelope", async () => {
    const { id, final } = await simulator.whatsApp.text({
      from: PERSON,
      userId: "FR.1349",
      name: "Customer",
      body: "Bonjour",
    });
    expect(final).toMatchObject({ status: 200, body: "OK" });
    expect(envelopes()).toEqual([
      {
        object: "whatsapp_business_account",
        entry: [
          {
            id: expect.any(String),
            changes: [
              {
                field: "messages",
                value: {
                  messaging_product: "whatsapp",
                  metadata: {
                    display_phone_number: simulator.whatsApp.displayPhoneNumber,
                    phone_number_id: simulator.whatsApp.phoneNumberId,
                  },
                  contacts: [
                    { profile: { name: "Customer" }, wa_id: "33612345678", user_id: "FR.1349" },
                  ],
                  messages: [
                    {
                      from: "33612345678",
                      from_user_id: "FR.1349",
                      id,
                      timestamp: expect.stringMatching(/^\d{10}$/),
                      type: "text",
                      text: { body: "Bonjour" },
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ]);
  });

  it("of a person without a number has neither from nor wa_id", async () => {
    await simulator.whatsApp.text({ userId: "FR.1349", body: "Bonjour" });
    const [value] = values();
    expect(value?.["messages"]).toEqual([expect.not.objectContaining({ from: expect.anything() })]);
    expect(value?.["contacts"]).toEqual([{ profile: expect.anything(), user_id: "FR.1349" }]);
  });

  it("goes to the number named, also to one the account has not", async () => {
    await simulator.whatsApp.text({ from: PERSON, to: "999", body: "Bonjour" });
    expect(values()).toMatchObject([{ metadata: { phone_number_id: "999" } }]);
  });

  it("needs somebody who writes it, and a webhook", async () => {
    await expect(simulator.whatsApp.text({ body: "Bonjour" })).rejects.toThrow(RangeError);
    const other = await startSimulator();
    const sending = other.whatsApp.text({ from: PERSON, body: "Bonjour" });
    await expect(sending).rejects.toThrow("webhook is not set");
    await other.close();
  });
});

describe("the bytes", () => {
  it("are escaped as Meta escapes them, and signed as they are", async () => {
    const body = "Café 👍 <b> 50% a@b.fr http://x/";
    await simulator.whatsApp.text({ from: PERSON, body });
    const [request] = received;
    expect(request?.body).toContain(
      '"body":"Caf\\u00e9 \\ud83d\\udc4d \\u003Cb> 50\\u0025 a\\u0040b.fr http:\\/\\/x\\/"',
    );
    expect(request?.body).toMatch(/^[\x20-\x7e]+$/);
    expect(values()).toMatchObject([{ messages: [{ text: { body } }] }]);
    const signature = hmac(simulator.whatsApp.appSecret, request?.body ?? "");
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "x-hub-signature-256": `sha256=${signature}`,
    });
  });

  it.each(["x-webhook-secret", "x-360dialog-signature", "none"] as const)(
    "are proved by %s, and by nothing else, when asked to",
    async (signature) => {
      await simulator.whatsApp.text({ from: PERSON, body: "Hi", signature });
      const [request] = received;
      const { webhookSecret } = simulator.whatsApp;
      const proofs: Record<string, string> = {
        "x-hub-signature-256": "never",
        "x-webhook-secret": webhookSecret,
        "x-360dialog-signature": hmac(webhookSecret, request?.body ?? ""),
      };
      for (const [name, proof] of Object.entries(proofs))
        expect([name, request?.headers[name]]).toEqual([
          name,
          name === signature ? proof : undefined,
        ]);
    },
  );
});

describe("several at once", () => {
  it("come as they are given, odd ones included, with one contact per person", async () => {
    const messages = [
      { from: "33612345678", id: "wamid.1", type: "text", text: { body: "A" } },
      null,
      { type: "hologram" },
      { from: "33612345678", id: "wamid.2", type: "text", text: { body: "B" } },
      { from: "", from_user_id: "FR.1", id: "wamid.3", type: "text", text: { body: "C" } },
      { from: "33612345679", id: "wamid.4", type: "system", system: { wa_id: "336" } },
    ];
    await simulator.whatsApp.send(messages);
    const [value] = values();
    expect(value?.["messages"]).toEqual(messages);
    expect(value?.["contacts"]).toMatchObject([{ wa_id: "33612345678" }, { user_id: "FR.1" }]);
  });

  it("can be an envelope of any shape", async () => {
    const entries = [{ id: "1", changes: [] }, "nonsense"];
    await simulator.whatsApp.deliver(entries);
    expect(envelopes()).toEqual([{ object: "whatsapp_business_account", entry: entries }]);
  });

  it("a notice of another field has no metadata", async () => {
    const value = { event: "ACCOUNT_RESTRICTION" };
    await simulator.whatsApp.notice("account_update", value);
    const changes = [{ field: "account_update", value }];
    expect(envelopes()).toMatchObject([{ entry: [{ changes }] }]);
    expect(values()).toEqual([value]);
  });
});

describe("a webhook that is not answered with 200", () => {
  const retry = { times: 5, scale: 0.000_01 };

  it("is repeated byte for byte until it is", async () => {
    answers = [500, 202, 302];
    const result = await simulator.whatsApp.text({ from: PERSON, body: "Hi", retry });
    expect(result.attempts.map(({ status }) => status)).toEqual([500, 202, 302, 200]);
    expect(result.final).toMatchObject({ status: 200 });
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it("is repeated when nobody answers, and given up after so many times", async () => {
    const webhookUrl = "http://127.0.0.1:9/webhook";
    const result = await simulator.whatsApp.text({ from: PERSON, body: "Hi", retry, webhookUrl });
    expect(result.attempts).toHaveLength(6);
    expect(result).toMatchObject({
      final: null,
      attempts: [{ error: expect.any(String) }, {}, {}, {}, {}, {}],
    });
  });

  it("is given up after 7 days, with ever longer waits", async () => {
    answers = Array<number>(100).fill(500);
    const message = { from: PERSON, body: "Hi", retry: { times: 100, scale: 0 } };
    const { attempts } = await simulator.whatsApp.text(message);
    // 10 s doubled up to 12 h comes to 7 days after 25 repeats.
    expect(attempts).toHaveLength(26);
  });

  it("is not repeated unless that is asked for", async () => {
    answers = [500];
    const { attempts } = await simulator.whatsApp.text({ from: PERSON, body: "Hi" });
    expect(attempts).toHaveLength(1);
  });
});

describe("setting the webhook", () => {
  it("asks as Meta does", async () => {
    await simulator.whatsApp.setWebhook(`${webhook}?a=b`);
    const query = new URL(received[0]?.url ?? "", "http://gateway").searchParams;
    expect(received[0]?.method).toBe("GET");
    expect(Object.fromEntries(query)).toEqual({
      a: "b",
      "hub.mode": "subscribe",
      "hub.verify_token": simulator.whatsApp.verifyToken,
      "hub.challenge": expect.stringMatching(/^\d+$/),
    });
  });

  it("fails when the answer is not the challenge, or not 200, and leaves the old one", async () => {
    const elsewhere = `${webhook}-2`;
    challenge = () => "welcome";
    await expect(simulator.whatsApp.setWebhook(elsewhere)).rejects.toThrow('200 "welcome"');
    challenge = (query) => query.get("hub.challenge") ?? "";
    answers = [403];
    await expect(simulator.whatsApp.setWebhook(elsewhere)).rejects.toThrow("403");
    await simulator.whatsApp.text({ from: PERSON, body: "Hi" });
    expect(received.at(-1)?.url).toBe("/webhook");
  });

  it("asks nothing of 360dialog's client", async () => {
    const other = await startSimulator({ whatsApp: { signature: "x-webhook-secret" } });
    await other.whatsApp.setWebhook(webhook);
    expect(received).toEqual([]);
    await other.whatsApp.text({ from: PERSON, body: "Hi" });
    expect(received[0]?.headers["x-webhook-secret"]).toBe(other.whatsApp.webhookSecret);
    await other.close();
  });
});

describe("the admin routes", () => {
  const admin = async (method: string, route: string, body?: unknown) => {
    const response = await fetch(`${simulator.url}/admin/whatsapp/${route}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, answer: (await response.json()) as unknown };
  };

  it("do what the interface does", async () => {
    await admin("PUT", "webhook", { url: webhook });
    const written = await admin("POST", "text", { from: PERSON, body: "Hi", id: "wamid.7" });
    expect(written.answer).toMatchObject({ id: "wamid.7", final: { status: 200 } });
    await admin("POST", "send", { messages: [{ id: "wamid.8" }] });
    await admin("POST", "statuses", { statuses: [{ id: "wamid.9", status: "read" }] });
    await admin("POST", "notice", { field: "security", value: { event: "PIN_CHANGED" } });
    expect(received[0]?.method).toBe("GET");
    received.shift();
    expect(values()).toMatchObject([
      { messages: [{ id: "wamid.7" }] },
      { messages: [{ id: "wamid.8" }] },
      { statuses: [{ id: "wamid.9", status: "read" }] },
      { event: "PIN_CHANGED" },
    ]);
    expect(await admin("GET", "sent")).toEqual({ status: 200, answer: [] });
  });

  it("refuse what cannot be meant", async () => {
    challenge = () => "no";
    expect(await admin("POST", "text", { from: PERSON })).toMatchObject({ status: 400 });
    expect(await admin("POST", "text", { body: "Hi" })).toMatchObject({ status: 400 });
    expect(await admin("PUT", "webhook", { url: webhook })).toMatchObject({ status: 400 });
    expect(await admin("POST", "send", { messages: [] })).toMatchObject({ status: 400 });
  });
});
