import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startSimulator } from "../index.ts";
import type { MetaReceiptPlan, Simulator } from "../index.ts";
import { openServer, type TestServer } from "../testing/open-server.ts";

const PERSON = "+33612345678";
const DAY_MS = 24 * 60 * 60 * 1000;

interface Status {
  id: string;
  status: string;
  errors?: { code: number }[];
  [field: string]: unknown;
}

let simulator: Simulator;
let gateway: TestServer;
let now: number;
let statuses: Status[];
let contacts: unknown[];
let onStatus: () => void;
/** The gateway answers no webhook before this. */
let held: Promise<void>;

beforeEach(async () => {
  now = Date.parse("2026-11-02T10:00:00Z");
  statuses = [];
  contacts = [];
  onStatus = () => undefined;
  held = Promise.resolve();
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const { entry } = (await json(request)) as { entry: { changes: { value: Value }[] }[] };
    for (const { value } of entry.flatMap(({ changes }) => changes)) {
      statuses.push(...(value.statuses ?? []));
      if (value.statuses) contacts.push(value.contacts ?? null);
    }
    onStatus();
    await held;
    response.end();
  };
  gateway = await openServer(listener);
  simulator = await startSimulator({ whatsApp: { webhookUrl: `${gateway.url}/`, now: () => now } });
});

interface Value {
  statuses?: Status[];
  contacts?: unknown[];
}

afterEach(async () => {
  await simulator.close();
  gateway.close();
});

async function send(more: object = {}) {
  const { apiUrl, phoneNumberId, accessToken } = simulator.whatsApp;
  const response = await fetch(`${apiUrl}/v24.0/${phoneNumberId}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({
      messaging_product: "whatsapp",
      to: PERSON,
      text: { body: "On our way" },
      biz_opaque_callback_data: "our-id",
      ...more,
    }),
  });
  expect(response.status).toBe(200);
}

/** Resolves when that many statuses have come in all. */
function arrived(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onStatus = () => {
    if (statuses.length >= count) resolve();
  };
  onStatus();
  return promise;
}

/** A message that is no text. */
const of = (type: string, content: object) => ({ type, text: undefined, [type]: content });
const TEMPLATE = of("template", { name: "come_back", language: { code: "fr" } });
const plan = (metaReceipts: boolean | MetaReceiptPlan) => simulator.setFaults({ metaReceipts });
const names = () => statuses.map(({ status }) => status);
/** What the gateway's own statuses stand behind: everything posted before has arrived. */
const settle = () => simulator.whatsApp.statuses([{ id: "wamid.last", status: "sent" }]);

describe("statuses", () => {
  beforeEach(() => simulator.whatsApp.openWindow(PERSON));

  it("are not posted until they are switched on", async () => {
    await send();
    await settle();
    expect(statuses).toMatchObject([{ id: "wamid.last" }]);
  });

  it("say what became of which message, to whom, with the sender's own data", async () => {
    plan(true);
    await send();
    await arrived(2);
    const [sent] = simulator.whatsApp.sent();
    const common = {
      id: sent?.wamid,
      recipient_id: "33612345678",
      biz_opaque_callback_data: "our-id",
      timestamp: String(now / 1000),
      pricing: { pricing_model: "PMP", category: "service" },
    };
    expect(statuses).toMatchObject([
      { status: "sent", ...common },
      { status: "delivered", ...common },
    ]);
    expect(contacts).toEqual([[{ wa_id: "33612345678" }], [{ wa_id: "33612345678" }]]);
  });

  it("of a person known by user id too, or only so, name it", async () => {
    plan(true);
    await simulator.whatsApp.text({ from: PERSON, userId: "FR.1", body: "Hi" });
    await send();
    await simulator.whatsApp.text({ userId: "FR.2", body: "Hi" });
    await send({ to: undefined, recipient: "FR.2" });
    await arrived(4);
    const about = (user: string) => statuses.find((status) => status["recipient_user_id"] === user);
    expect(about("FR.1")).toMatchObject({ recipient_id: "33612345678" });
    expect(about("FR.2")).not.toHaveProperty("recipient_id");
  });

  it.each<[MetaReceiptPlan, string[]]>([
    [{ final: "read" }, ["sent", "delivered", "read"]],
    [{ repeat: 1 }, ["sent", "sent", "delivered", "delivered"]],
    [{ final: "failed" }, ["failed"]],
    [{ minDelayMs: 5, maxDelayMs: 20 }, ["sent", "delivered"]],
  ])("follow the plan %j", async (given, expected) => {
    plan(given);
    await send();
    await arrived(expected.length);
    expect(names()).toEqual(expected);
  });

  it("of a reaction end with sent", async () => {
    // Shuffled, so that all there are set out at once.
    plan({ final: "read", shuffle: true });
    await send(of("reaction", { message_id: "wamid.1", emoji: "👍" }));
    await arrived(1);
    await settle();
    expect(names()).toEqual(["sent", "sent"]);
    expect(statuses[1]?.id).toBe("wamid.last");
  });

  it("of a failure carry its code and no contact", async () => {
    plan({ final: "failed", errorCode: 131050 });
    await send();
    await arrived(1);
    expect(statuses[0]?.errors).toMatchObject([{ code: 131050, title: expect.any(String) }]);
    expect(contacts).toEqual([null]);
  });

  it("may be lost", async () => {
    plan({ loseShare: 1 });
    await send();
    await settle();
    expect(statuses).toMatchObject([{ id: "wamid.last" }]);
  });

  it("shuffled do not wait for one another", async () => {
    const release = Promise.withResolvers<void>();
    held = release.promise;
    plan({ shuffle: true });
    await send();
    await arrived(2);
    release.resolve();
    expect(names().toSorted()).toEqual(["delivered", "sent"]);
  });

  it("come before the answer when the plan says so, even if it never comes", async () => {
    plan({ beforeAnswer: true });
    simulator.setFaults({ meta: { kind: "accept-then-reset" } });
    await expect(send()).rejects.toThrow("fetch failed");
    expect(statuses[0]).toMatchObject({ status: "sent", biz_opaque_callback_data: "our-id" });
  });

  it("of one's own are filled in with what is known of the message", async () => {
    await send();
    const [sent] = simulator.whatsApp.sent();
    const id = sent?.wamid;
    await simulator.whatsApp.statuses([
      { id, status: "read" },
      { id, status: "delivered", biz_opaque_callback_data: undefined, timestamp: "1" },
    ]);
    expect(statuses).toEqual([
      {
        id,
        status: "read",
        timestamp: String(now / 1000),
        recipient_id: "33612345678",
        biz_opaque_callback_data: "our-id",
      },
      { id, status: "delivered", timestamp: "1", recipient_id: "33612345678" },
    ]);
  });
});

describe("the 24-hour window", () => {
  const codes = () => statuses.map(({ errors }) => errors?.[0]?.code);

  it("closes a free-form message with 131047, whether statuses are on or not", async () => {
    await send();
    await arrived(1);
    plan({ final: "read" });
    await send();
    await arrived(2);
    expect(names()).toEqual(["failed", "failed"]);
    expect(codes()).toEqual([131047, 131047]);
  });

  it("is open for 24 hours after the person wrote to that number", async () => {
    plan(true);
    simulator.whatsApp.addNumber({ phoneNumberId: "200", displayPhoneNumber: "447700900889" });
    await simulator.whatsApp.text({ from: PERSON, to: "200", body: "Hi" });
    await send();
    await arrived(1);
    await simulator.whatsApp.text({ from: PERSON, body: "Hi" });
    now += DAY_MS - 1;
    await send();
    await arrived(3);
    now += 1;
    await send();
    await arrived(4);
    expect(names()).toEqual(["failed", "sent", "delivered", "failed"]);
  });

  it("can be closed and opened by hand, for both ids of a person", async () => {
    await simulator.whatsApp.text({ from: PERSON, userId: "FR.1", body: "Hi" });
    simulator.whatsApp.closeWindow(PERSON);
    await send({ to: undefined, recipient: "FR.1" });
    await arrived(1);
    const response = await fetch(`${simulator.url}/admin/whatsapp/window`, {
      method: "PUT",
      body: JSON.stringify({ person: PERSON, open: true }),
    });
    expect(response.status).toBe(200);
    await send();
    await settle();
    expect(codes()).toEqual([131047, undefined]);
  });

  it("does not concern a template", async () => {
    plan(true);
    await send(TEMPLATE);
    await arrived(2);
    expect(names()).toEqual(["sent", "delivered"]);
  });

  it("closes with a reset, which also forgets what was sent and read", async () => {
    simulator.whatsApp.openWindow(PERSON);
    await send();
    simulator.reset();
    expect(simulator.whatsApp.sent()).toEqual([]);
    await send();
    await arrived(1);
    expect(codes()).toEqual([131047]);
  });
});

describe("the stream of events", () => {
  it("shows what was sent, in words", async () => {
    simulator.whatsApp.openWindow(PERSON);
    const stop = new AbortController();
    const events = await fetch(`${simulator.url}/admin/events`, { signal: stop.signal });
    await send({
      type: "interactive",
      text: undefined,
      interactive: {
        type: "button",
        body: { text: "Shall we come?" },
        action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }] },
      },
    });
    let seen = "";
    for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      seen += chunk;
      if (seen.includes("data: ")) break;
    }
    expect(JSON.parse(seen.slice(seen.indexOf("data: ") + "data: ".length))).toMatchObject({
      channel: "whatsapp",
      to: PERSON,
      body: "Shall we come?\n[Yes]",
    });
    stop.abort();
  });
});
