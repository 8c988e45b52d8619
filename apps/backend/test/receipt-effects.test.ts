import { describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { signTwilioRequest } from "@jobrun/simulator";
import pg from "pg";
import { eventually } from "./eventually.ts";
import { post, type Answer, type LogLine } from "./harness.ts";
import {
  converse,
  gateway,
  insertText,
  newSid,
  report,
  row,
  useReceiptsWorld,
  world,
  type StatusCallback,
} from "./receipts-world.ts";
import { settledMessagesWith } from "./rows.ts";

useReceiptsWorld();

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

const about =
  (event: string, messageId: string) =>
  (line: LogLine): boolean =>
    line.event === event && line["messageId"] === messageId;

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

describe("at the same instant as another process gives the provider's id to a text, a receipt", () => {
  it("is that text's, not that of the text with our id", async () => {
    const sid = newSid();
    const known = await insertText();
    const m = await insertText({ status: "FAILED", errorCode: "21211" });
    const answer = await meeting({ sid, status: "delivered", m }, known);
    expect(answer.status).toBe(204);
    expect(await row(known)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
    expect(await row(m)).toMatchObject({ status: "FAILED", providerMessageId: null });
  });

  it("with a second id for that text is an error, and changes nothing", async () => {
    const m = await insertText({ status: "SENDING" });
    const answer = await meeting({ sid: newSid(), status: "delivered", m }, m, newSid());
    expect(answer.status).toBe(204);
    expect(await row(m)).toMatchObject({ status: "SENT" });
    await gateway.logged((line) => line.level === "error" && line["messageId"] === m);
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
    expect(await gateway.logged(about("message_failed", id))).toMatchObject({
      code: "30005",
    });
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
});

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
