import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createDatabase, newId, type Database } from "@jobrun/db";
import { signTwilioRequest } from "@jobrun/simulator";
import pg from "pg";
import { applyPendingReceipts } from "../src/outbound/receipts.ts";
import { eventually } from "./eventually.ts";
import {
  createWorld,
  CUSTOMER,
  DEMO_NUMBER,
  post,
  type Answer,
  type RunningGateway,
  type World,
} from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";

let world: World;
let gateway: RunningGateway;
let db: Database;

beforeAll(async () => {
  world = await createWorld();
  gateway = await world.startGateway();
  db = createDatabase({
    url: world.database.url,
    poolSize: 2,
    queryTimeoutMs: 5000,
    transactionTimeoutMs: 10_000,
    onQueryTimeout: () => {},
  });
});
afterAll(async () => {
  await db.close();
  await world.close();
});

interface StatusCallback {
  sid: string;
  status: string;
  /** Our own id, as the create gave it to Twilio. */
  m?: string;
  code?: string;
  signature?: string;
}

/** Posts a status callback as Twilio does. */
function report({ sid, status, m, code, signature }: StatusCallback): Promise<Answer> {
  const path = `/api/twilio/message-status${m === undefined ? "" : `?m=${m}`}`;
  const params: Record<string, string> = {
    MessageSid: sid,
    MessageStatus: status,
    AccountSid: world.simulator.accountSid,
    From: DEMO_NUMBER,
    To: CUSTOMER,
    ...(code === undefined ? {} : { ErrorCode: code }),
  };
  const url = `https://gateway.example.com${path}`;
  return post(gateway.url + path, new URLSearchParams(params), {
    "x-twilio-signature": signature ?? signTwilioRequest(world.simulator.authToken, url, params),
  });
}

interface TextRow {
  id?: string;
  status?: string;
  providerMessageId?: string | null;
  errorCode?: string | null;
  direction?: "INBOUND" | "OUTBOUND";
  conversation?: { tenantId: string; conversationId: string };
  recipient?: string;
}

/** Writes a row that no worker touches: an UNKNOWN one is looked up in an hour, a lease lasts as long. */
async function insertText(given: TextRow = {}): Promise<string> {
  const {
    id = newId(),
    status = "SENT",
    providerMessageId = null,
    errorCode = null,
    direction = "OUTBOUND",
  } = given;
  await world.query(
    `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "sender", "recipient", "body",
       "status", "providerMessageId", "errorCode", "requestId", "attempts", "dueAt", "unknownSince", "leasedUntil")
     VALUES ($1, $2, $3, $4, 'sms', $5, $6, 'On our way', $7::text::"MessageStatus", $8, $9, 'request-1', 1, now() + interval '1 hour',
       CASE WHEN $7::text = 'UNKNOWN' THEN now() END, CASE WHEN $7::text = 'SENDING' THEN now() + interval '1 hour' END)`,
    [
      id,
      given.conversation?.tenantId ?? null,
      given.conversation?.conversationId ?? null,
      direction,
      DEMO_NUMBER,
      given.recipient ?? CUSTOMER,
      status,
      providerMessageId,
      errorCode,
    ],
  );
  return id;
}

async function row(id: string) {
  const [found] = await world.query(
    `SELECT "status", "providerMessageId", "errorCode", "sentAt" IS NOT NULL AS "sent", "unknownSince", "leasedUntil"
     FROM "Message" WHERE "id" = $1`,
    [id],
  );
  return found;
}

const pending = (sid: string) =>
  world.query(
    'SELECT "status", "messageId" FROM "PendingReceipt" WHERE "providerMessageId" = $1 ORDER BY "status"',
    [sid],
  );

let sids = 0;
const newSid = () => `SMreceipt${(sids += 1)}`;

async function demoTenant(): Promise<string> {
  const [found] = await world.query<{ id: string }>(
    'SELECT "clientId" AS "id" FROM "TwilioNumberPool" WHERE "phoneNumber" = $1',
    [DEMO_NUMBER],
  );
  if (found === undefined) throw new Error("the demo tenant is not there");
  return found.id;
}

/** Reports at the moment at which another process gives the provider's id to a text, and is not done yet. */
async function meeting(callback: StatusCallback, id: string, sid = callback.sid): Promise<Answer> {
  const other = new pg.Client({ connectionString: world.database.url });
  await other.connect();
  try {
    await other.query("BEGIN");
    await other.query(
      `UPDATE "Message" SET "status" = 'SENT', "providerMessageId" = $1 WHERE "id" = $2`,
      [sid, id],
    );
    const answer = report(callback);
    await eventually(
      () =>
        world.query(
          `SELECT 1 FROM pg_stat_activity WHERE "datname" = current_database() AND "wait_event_type" = 'Lock'`,
        ),
      (waiting) => waiting.length > 0,
    );
    await other.query("COMMIT");
    return await answer;
  } finally {
    await other.end();
  }
}

/** A new customer of the demo tenant and the conversation with them. */
async function converse(phone: string) {
  const [tenantId, customerId, conversationId] = [await demoTenant(), newId(), newId()];
  await world.query(`INSERT INTO "Customer" ("id", "clientId", "phone") VALUES ($1, $2, $3)`, [
    customerId,
    tenantId,
    phone,
  ]);
  await world.query(
    `INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel") VALUES ($1, $2, $3, 'sms')`,
    [conversationId, tenantId, customerId],
  );
  return { tenantId, conversationId };
}

/** Every non-empty choice of the values, in every order. */
function arrangements<T>(values: readonly T[]): T[][] {
  return values.flatMap((value, index) => [
    [value],
    ...arrangements(values.toSpliced(index, 1)).map((rest) => [value, ...rest]),
  ]);
}

describe("receipts in every order, each of them twice, leave a text", () => {
  const all = arrangements(["sent", "failed", "delivered", "read"]);
  const has = (...words: string[]) =>
    all.filter((order) => words.every((word) => order.includes(word)));
  const without = (orders: string[][], ...words: string[]) =>
    orders.filter((order) => !words.some((word) => order.includes(word)));

  it.each([
    { end: "READ", when: "it was read", orders: has("read") },
    {
      end: "DELIVERED",
      when: "it was delivered, whatever failed on the way",
      orders: without(has("delivered"), "read"),
    },
    {
      end: "FAILED",
      when: "nobody has it in hand",
      orders: without(has("failed"), "delivered", "read"),
    },
    { end: "SENT", when: "there is nothing but that", orders: [["sent"]] },
  ])("$end when $when", async ({ end, orders }) => {
    const ends = await Promise.all(
      orders.map(async (order) => {
        const sid = newSid();
        const m = await insertText({ status: "UNKNOWN" });
        for (const status of [...order, ...order]) {
          const code = status === "failed" ? { code: "30003" } : {};
          expect(await report({ sid, status, m, ...code })).toMatchObject({
            status: 204,
            body: "",
          });
        }
        return { order, end: await row(m), sid };
      }),
    );
    expect(ends.length).toBeGreaterThan(0);
    for (const { sid, ...actual } of ends)
      expect(actual).toEqual({
        order: actual.order,
        end: {
          status: end,
          providerMessageId: sid,
          errorCode: end === "FAILED" ? "30003" : null,
          sent: true,
          unknownSince: null,
          leasedUntil: null,
        },
      });
  });

  it("as the highest of them says when they come at the same instant", async () => {
    const sid = newSid();
    const m = await insertText({ status: "SENDING" });
    const words = ["sent", "failed", "delivered", "read"];
    const answers = await Promise.all(
      [...words, ...words].map((status) => report({ sid, status, m })),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 204));
    expect(await row(m)).toMatchObject({
      status: "READ",
      providerMessageId: sid,
      leasedUntil: null,
    });
  });
});

describe("a receipt finds its text", () => {
  it("by our id before the text knows its provider's id, and by that afterwards", async () => {
    const sid = newSid();
    const m = await insertText({ status: "SENDING" });
    await report({ sid, status: "sent", m });
    expect(await row(m)).toMatchObject({ status: "SENT", providerMessageId: sid, sent: true });
    await report({ sid, status: "delivered" });
    expect(await row(m)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
  });

  it.each(["QUEUED", "DEAD", "FAILED"])("also when it is %s already", async (status) => {
    const sid = newSid();
    const m = await insertText({ status, errorCode: "timeout" });
    await report({ sid, status: "delivered", m });
    expect(await row(m)).toMatchObject({
      status: "DELIVERED",
      providerMessageId: sid,
      errorCode: null,
    });
  });

  it("by the provider's id first: the text with our id is left alone", async () => {
    const sid = newSid();
    const m = await insertText({ status: "FAILED", errorCode: "21211" });
    const known = await insertText({ providerMessageId: sid });
    const before = await row(m);
    expect((await report({ sid, status: "delivered", m })).status).toBe(204);
    expect(await row(known)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
    expect(await row(m)).toEqual(before);
  });

  it("when another text is given that provider id at the same instant", async () => {
    const sid = newSid();
    const known = await insertText();
    const m = await insertText({ status: "FAILED", errorCode: "21211" });
    const answer = await meeting({ sid, status: "delivered", m }, known);
    expect(answer.status).toBe(204);
    expect(await row(known)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
    expect(await row(m)).toMatchObject({ status: "FAILED", providerMessageId: null });
  });

  it("and never a customer's text that has the id", async () => {
    const sid = newSid();
    const inbound = await insertText({
      direction: "INBOUND",
      status: "RECEIVED",
      providerMessageId: sid,
    });
    const m = await insertText({ status: "FAILED" });
    expect((await report({ sid, status: "delivered", m })).status).toBe(204);
    expect(await row(inbound)).toMatchObject({ status: "RECEIVED" });
    expect(await row(m)).toMatchObject({ status: "FAILED", providerMessageId: null });
  });
});

describe("a receipt whose text is not known yet", () => {
  it("is kept once, and applied in rank when the text appears", async () => {
    const sid = newSid();
    for (const status of ["delivered", "sent", "delivered"])
      expect((await report({ sid, status })).status).toBe(204);
    expect(await pending(sid)).toEqual([
      { status: "SENT", messageId: null },
      { status: "DELIVERED", messageId: null },
    ]);
    const id = await insertText({ status: "SENT", providerMessageId: sid });
    await settlePending();
    expect(await row(id)).toMatchObject({ status: "DELIVERED" });
    expect(await pending(sid)).toEqual([]);
  });

  it("is applied by our id too", async () => {
    const sid = newSid();
    const messageId = newId();
    await report({ sid, status: "delivered", m: messageId });
    expect(await pending(sid)).toEqual([{ status: "DELIVERED", messageId }]);
    await insertText({ id: messageId, status: "UNKNOWN" });
    await settlePending();
    expect(await row(messageId)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
    expect(await pending(sid)).toEqual([]);
  });

  it("is forgotten after an hour, and not before", async () => {
    const [old, recent] = [newSid(), newSid()];
    for (const sid of [old, recent]) await report({ sid, status: "delivered" });
    const age = `UPDATE "PendingReceipt" SET "receivedAt" = now() - $1::interval WHERE "providerMessageId" = $2`;
    await world.query(age, ["61 minutes", old]);
    await world.query(age, ["59 minutes", recent]);
    await settlePending();
    expect(await pending(old)).toEqual([]);
    expect(await pending(recent)).toHaveLength(1);
  });
});

/** What the settle worker does; it may be doing it at this moment as well. */
async function settlePending(): Promise<void> {
  await applyPendingReceipts(db);
}

describe("a callback that is not a receipt of Twilio is refused and changes nothing", () => {
  it("403 with a forged signature, counted", async () => {
    const sid = newSid();
    const id = await insertText({ providerMessageId: sid });
    const answer = await report({
      sid,
      status: "delivered",
      signature: "Zm9yZ2VkZm9yZ2VkZm9yZ2Vk",
    });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "forbidden" } });
    expect(await row(id)).toMatchObject({ status: "SENT" });
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('jobrun_signature_failures_total{provider="twilio"} 1');
  });

  it("403 when our id in the URL is not the one that was signed", async () => {
    const [m, another] = [await insertText({ status: "UNKNOWN" }), newId()];
    const { accountSid } = world.simulator;
    const params = { MessageSid: newSid(), MessageStatus: "sent", AccountSid: accountSid };
    const signed = `https://gateway.example.com/api/twilio/message-status?m=${another}`;
    const answer = await post(
      `${gateway.url}/api/twilio/message-status?m=${m}`,
      new URLSearchParams(params),
      { "x-twilio-signature": signTwilioRequest(world.simulator.authToken, signed, params) },
    );
    expect(answer.status).toBe(403);
    expect(await row(m)).toMatchObject({ status: "UNKNOWN" });
  });

  it.each([
    ["a status nobody knows", { sid: "SM1", status: "teleported" }, "MessageStatus"],
    ["no message id", { sid: "", status: "sent" }, "MessageSid"],
  ])("400 for %s, and the answer names the parameter", async (_what, callback, name) => {
    const answer = await report(callback);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: "malformed", message: expect.stringContaining(name) },
    });
    expect(answer.body).not.toContain("teleported");
  });
});

describe("what a receipt sets off", () => {
  it("an UNKNOWN text is settled, announced, and lets the next one of its conversation leave", async () => {
    const customer = "+447700900301";
    const conversation = await converse(customer);
    const m = await insertText({ status: "UNKNOWN", conversation, recipient: customer });
    const next = await insertText({ status: "QUEUED", conversation, recipient: customer });
    await world.query('UPDATE "Message" SET "dueAt" = now() WHERE "id" = $1', [next]);
    const sid = newSid();
    await report({ sid, status: "sent", m });
    await world.simulator.waitForSent(1, { to: customer });
    const [settled, sent] = await settledMessagesWith(world, customer);
    expect([settled, sent]).toMatchObject([
      { id: m, status: "SENT", providerMessageId: sid },
      { id: next, status: "SENT" },
    ]);
    expect(await gateway.logged(about("receipt_applied", m))).toMatchObject({
      requestId: "request-1",
      ...conversation,
      providerMessageId: sid,
      status: "SENT",
      rank: 2,
    });
    expect(gateway.log.filter(about("message_sent", m))).toHaveLength(1);
  });

  it("the trace of a text carries the id of the webhook it answers, from the reply to the receipt", async () => {
    const sid = newSid();
    await gateway.text({ sid, from: "+447700900302" });
    const received = await gateway.logged(
      (line) => line.event === "message_received" && line["providerMessageId"] === sid,
    );
    const ofTrace = (event: string) =>
      gateway.logged((line) => line.event === event && line["requestId"] === received["requestId"]);
    const sent = await ofTrace("message_sent");
    await report({ sid: String(sent["providerMessageId"]), status: "delivered" });
    expect(await ofTrace("receipt_applied")).toMatchObject({
      messageId: sent["messageId"],
      tenantId: sent["tenantId"],
      conversationId: sent["conversationId"],
      status: "DELIVERED",
      rank: 4,
    });
  });

  it("a repeated or late one is answered and announces nothing", async () => {
    const sid = newSid();
    const id = await insertText({ providerMessageId: sid });
    for (const status of ["delivered", "delivered", "sent", "failed"])
      expect((await report({ sid, status })).status).toBe(204);
    const lines = gateway.log.filter((line) => line["messageId"] === id);
    expect(lines.map((line) => line.event)).toEqual(["receipt_applied"]);
  });

  it("a failure is announced with its code", async () => {
    const sid = newSid();
    const id = await insertText({ providerMessageId: sid });
    await report({ sid, status: "undelivered", code: "30005" });
    expect(await gateway.logged(about("message_failed", id))).toMatchObject({ code: "30005" });
  });

  it("21610 records that the customer wants no more texts, once", async () => {
    const customer = "+447700900303";
    const conversation = await converse(customer);
    const fail = async (code: string) => {
      const sid = newSid();
      await insertText({ providerMessageId: sid, conversation, recipient: customer });
      await report({ sid, status: "failed", code });
      const rows = await world.query('SELECT "optedOutAt" FROM "Customer" WHERE "phone" = $1', [
        customer,
      ]);
      return rows[0]?.["optedOutAt"];
    };
    expect(await fail("30005")).toBeNull();
    const since = await fail("21610");
    expect(since).toEqual(expect.any(Date));
    expect(await fail("21610")).toEqual(since);
    const events = gateway.log.filter((line) => line.event === "opt_out_recorded");
    expect(events).toMatchObject([
      { keyword: "21610", tenantId: conversation.tenantId, requestId: "request-1" },
    ]);
  });

  it("a second provider id for one text is an alert and an error, and changes nothing", async () => {
    const sid = newSid();
    const m = await insertText({ providerMessageId: sid });
    expect((await report({ sid: newSid(), status: "delivered", m })).status).toBe(204);
    expect(await row(m)).toMatchObject({ status: "SENT", providerMessageId: sid });
    expect(
      await gateway.logged((line) => line.level === "error" && line["messageId"] === m),
    ).toMatchObject({ requestId: "request-1" });
    await eventually(
      () => world.query('SELECT "key" FROM "Alert"'),
      (alerts) => alerts.some((alert) => alert["key"] === "INVARIANT_VIOLATION:message-sent-twice"),
    );
  });

  it("so is one that the provider's answer to the send brings at the same instant", async () => {
    const m = await insertText({ status: "SENDING" });
    const answer = await meeting({ sid: newSid(), status: "delivered", m }, m, newSid());
    expect(answer.status).toBe(204);
    expect(await row(m)).toMatchObject({ status: "SENT" });
    await gateway.logged((line) => line.level === "error" && line["messageId"] === m);
  });
});

const about =
  (event: string, messageId: string) =>
  (line: { event?: string; [field: string]: unknown }): boolean =>
    line.event === event && line["messageId"] === messageId;

describe("while the database fails", () => {
  it("a receipt gets a 500 and has written nothing, so that Twilio's next try counts", async () => {
    const sid = newSid();
    const id = await insertText({ providerMessageId: sid });
    await world.query('REVOKE UPDATE ON "Message" FROM gateway_service');
    const answer = await report({ sid, status: "delivered" });
    await world.query('GRANT UPDATE ON "Message" TO gateway_service');
    expect(answer).toMatchObject({
      status: 500,
      contentType: expect.stringContaining("text/plain"),
    });
    expect(await row(id)).toMatchObject({ status: "SENT" });
    await gateway.logged(
      (line) => line.event === "transaction_failed" && line["providerMessageId"] === sid,
    );
    expect((await report({ sid, status: "delivered" })).status).toBe(204);
    expect(await row(id)).toMatchObject({ status: "DELIVERED" });
  });
});
