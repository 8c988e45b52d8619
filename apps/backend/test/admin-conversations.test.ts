import { describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import {
  admin,
  api,
  conversationOf,
  idsInPages,
  refusal,
  replyWith,
  superAdmin,
  useAdminWorld,
} from "./admin-world.ts";
import { eventually } from "./eventually.ts";
import { alertsAbout, jobOf, newCustomer, toldTo, urgentJob } from "./operator-world.ts";
import { messagesWith } from "./rows.ts";

useAdminWorld();

/** A customer who has texted, and their conversation. */
async function aConversation() {
  const customer = newCustomer();
  await admin.gateway.text({ from: customer, body: "My tap drips" });
  return { customer, ...(await conversationOf(admin.world, customer)) };
}

const bodiesTo = async (customer: string) =>
  (await messagesWith(admin.world, customer))
    .filter(({ direction }) => direction === "OUTBOUND")
    .map(({ body }) => body);

describe("a person's reply", () => {
  it("is queued after what was said before, keeps the assistant out, and reaches the customer", async () => {
    const { customer, id, revision } = await aConversation();
    const { status, body, requestId } = await api(
      "POST",
      `/conversations/${id}/messages`,
      replyWith("I will be there at 5"),
    );
    expect({ status, state: body.status }).toEqual({ status: 202, state: "QUEUED" });
    expect((await bodiesTo(customer)).at(-1)).toBe("I will be there at 5");
    const sent = await eventually(
      async () => (await messagesWith(admin.world, customer)).find((row) => row.id === body.id),
      (row) => row?.status !== "QUEUED" && row?.status !== "SENDING",
    );
    expect(sent).toMatchObject({ kind: "reply", sender: demoTenant.phoneNumber, attempts: 1 });
    const now = await conversationOf(admin.world, customer);
    expect(now.revision).toBeGreaterThan(revision);
    expect(now.humanUntil?.getTime()).toBeGreaterThan(Date.now() + 11 * 3_600_000);
    expect(await admin.auditOf(body.id)).toMatchObject([
      { action: "message.create", actor: "owner", role: "admin", requestId },
    ]);

    const before = await bodiesTo(customer);
    await admin.gateway.text({ from: customer, body: "Great, thank you" });
    expect(await bodiesTo(customer)).toEqual(before);
  });

  it("that is asked for again is not sent again, and tells what became of the first", async () => {
    const { customer, id } = await aConversation();
    const reply = replyWith("Only once");
    const first = await api("POST", `/conversations/${id}/messages`, reply);
    await eventually(
      async () => (await messagesWith(admin.world, customer)).at(-1)?.status,
      (status) => status === "SENT" || status === "DELIVERED",
    );
    const again = await api("POST", `/conversations/${id}/messages`, {
      ...reply,
      text: { body: "Other words" },
    });
    expect(again.status).toBe(200);
    expect(again.body.id).toBe(first.body.id);
    expect(["SENT", "DELIVERED"]).toContain(again.body.status);
    expect((await bodiesTo(customer)).filter((body) => /once|Other/.test(body))).toEqual([
      "Only once",
    ]);
  });

  it("that is asked for many times at the same instant is queued once", async () => {
    const { customer, id } = await aConversation();
    const reply = replyWith("At the same instant");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api("POST", `/conversations/${id}/messages`, reply)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(7).fill(200), 202]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(
      (await bodiesTo(customer)).filter((body) => body === "At the same instant"),
    ).toHaveLength(1);
  });

  it("with an id of another conversation is refused, also at the same instant", async () => {
    const [one, other] = [await aConversation(), await aConversation()];
    const reply = replyWith("To one of them");
    const answers = await Promise.all(
      [one, other].map(({ id }) => api("POST", `/conversations/${id}/messages`, reply)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.error.details).toMatchObject([
      { field: "clientMessageId" },
    ]);
  });

  it("has an id that is unique to the tenant alone", async () => {
    const mine = await aConversation();
    const { number, admin: theirApi } = await admin.addTenant();
    const customer = newCustomer();
    await admin.gateway.text({ from: customer, to: number });
    const theirs = await conversationOf(admin.world, customer);
    const reply = replyWith("Hello");
    expect((await api("POST", `/conversations/${mine.id}/messages`, reply)).status).toBe(202);
    expect((await theirApi("POST", `/conversations/${theirs.id}/messages`, reply)).status).toBe(
      202,
    );
  });

  it("to somebody who wants no texts is refused", async () => {
    const { customer, id } = await aConversation();
    await admin.gateway.text({ from: customer, body: "STOP" });
    const { status } = await api(
      "POST",
      `/conversations/${id}/messages`,
      replyWith("Still there?"),
    );
    expect(status).toBe(409);
    expect(await bodiesTo(customer)).not.toContain("Still there?");
  });

  it.each([
    [{ type: "text", text: { body: "x" } }, "clientMessageId"],
    [{ ...replyWith("x"), type: "image" }, "type"],
    [replyWith("  \n"), "text.body"],
    [replyWith("long ".repeat(100)), "text.body"],
    [{ clientMessageId: "1", type: "text" }, "text"],
    [{ ...replyWith("x"), to: "+447700900000" }, "to"],
  ])("that is not valid is refused with the field's name: %j", async (body, field) => {
    const { id } = await aConversation();
    const answer = await api("POST", `/conversations/${id}/messages`, body);
    expect(refusal(answer)).toEqual({ status: 400, fields: [field] });
  });

  it("answers an urgent job without taking it", async () => {
    const { customer, id: jobId } = await urgentJob(admin.world, admin.gateway, newCustomer());
    const { id } = await conversationOf(admin.world, customer);
    await api("POST", `/conversations/${id}/messages`, replyWith("On my way"));
    expect(await jobOf(admin.world, customer)).toMatchObject({
      id: jobId,
      status: "URGENT",
      answeredAt: expect.any(Date),
    });
  });
});

describe("a conversation", () => {
  it("is listed with its customer, and its messages in pages, newest first, each once", async () => {
    const { customer, id, customerId } = await aConversation();
    // The next ones get 9998 … 10000: an order of numbers, not of their digits.
    await admin.world.query(`SELECT setval(pg_get_serial_sequence('"Message"', 'position'), 9997)`);
    for (let count = 0; count < 3; count += 1)
      await api("POST", `/conversations/${id}/messages`, replyWith(`Reply ${count}`));
    const list = await api("GET", `/tenants/${demoTenant.id}/conversations?limit=1`);
    expect(list.body.items).toMatchObject([
      { id, channel: "sms", customer: { id: customerId, phone: customer, optedOut: false } },
    ]);
    const stored = (await messagesWith(admin.world, customer)).map((row) => row.id).toReversed();
    expect(await idsInPages(api, `/conversations/${id}/messages`, 2)).toEqual(stored);
  });

  it("is taken over and released, and the assistant keeps to it", async () => {
    const { customer, id } = await aConversation();
    const taken = await api("POST", `/conversations/${id}/takeover`);
    expect(taken).toMatchObject({ status: 200, body: { humanUntil: expect.any(String) } });
    const before = await bodiesTo(customer);
    await admin.gateway.text({ from: customer, body: "Are you there?" });
    expect(await bodiesTo(customer)).toEqual(before);
    const released = await api("POST", `/conversations/${id}/release`);
    expect(released).toMatchObject({ status: 200, body: { humanUntil: null } });
    await admin.gateway.text({ from: customer, body: "Hello?" });
    expect((await bodiesTo(customer)).length).toBe(before.length + 1);
    expect((await admin.auditOf(id)).map(({ action }) => action)).toEqual([
      "conversation.takeover",
      "conversation.release",
    ]);
  });

  it("can be read and answered by a super-admin", async () => {
    const { id } = await aConversation();
    expect((await superAdmin("GET", `/conversations/${id}/messages`)).status).toBe(200);
    expect((await superAdmin("POST", `/conversations/${id}/takeover`)).status).toBe(200);
    expect((await superAdmin("POST", `/conversations/${newId()}/takeover`)).status).toBe(404);
  });
});

describe("a job", () => {
  it("that is accepted is so once: the customer is told and the operator's number is kept", async () => {
    const { customer, id, number } = await urgentJob(admin.world, admin.gateway, newCustomer());
    const before = (await conversationOf(admin.world, customer)).revision;
    const accepted = await api("PATCH", `/jobs/${id}`, { status: "ACCEPTED" });
    expect(accepted).toMatchObject({ status: 200, body: { id, number, status: "ACCEPTED" } });
    expect((await api("PATCH", `/jobs/${id}`, { status: "ACCEPTED" })).status).toBe(200);
    expect(await toldTo(admin.world, customer, "customer_notice")).toHaveLength(1);
    expect((await conversationOf(admin.world, customer)).revision).toBeGreaterThan(before);
    expect(await admin.auditOf(id)).toMatchObject([
      { action: "job.update", changes: { from: "URGENT", status: "ACCEPTED" } },
    ]);
    expect((await api("PATCH", `/jobs/${id}`, { status: "DECLINED" })).status).toBe(409);
    expect((await api("PATCH", `/jobs/${id}`, { status: "DONE" })).status).toBe(200);
    expect((await api("PATCH", `/jobs/${id}`, { status: "ACCEPTED" })).status).toBe(409);
  });

  it("that was urgent and is declined raises the founder's alert", async () => {
    const { id } = await urgentJob(admin.world, admin.gateway, newCustomer());
    await api("PATCH", `/jobs/${id}`, { status: "DECLINED" });
    const alerts = await eventually(
      () => alertsAbout(admin.world, id),
      (rows) => rows.length > 0,
    );
    expect(alerts).toMatchObject([{ state: "OPEN" }]);
  });

  it("is listed by state", async () => {
    const { id } = await urgentJob(admin.world, admin.gateway, newCustomer());
    const path = `/tenants/${demoTenant.id}/jobs`;
    const urgent = await api("GET", `${path}?status=URGENT&limit=1`);
    expect(urgent.body.items).toMatchObject([{ id, status: "URGENT" }]);
    expect((await api("GET", `${path}?status=DONE`)).body.items.map((job) => job.id)).not.toContain(
      id,
    );
    expect((await api("GET", `${path}?status=LOST`)).body.error.details).toMatchObject([
      { field: "status" },
    ]);
  });
});
