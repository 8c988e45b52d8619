import { describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { admin, superAdmin, useAdminWorld } from "./admin-world.ts";
import { newCustomer } from "./operator-world.ts";
import { eventually } from "./eventually.ts";
import { settledMessagesWith } from "./rows.ts";

useAdminWorld();

async function anAlert(state = "OPEN"): Promise<string> {
  const id = newId();
  await admin.world.query(
    `INSERT INTO "Alert" ("id", "key", "type", "severity", "state", "summary")
     VALUES ($1, $2, 'URGENT_JOB_UNANSWERED', 'critical', $3::"AlertState", 'Nobody answered')`,
    [id, `URGENT_JOB_UNANSWERED:${id}`, state],
  );
  return id;
}

/** A reply of the gateway that was sent, and then declared dead. */
async function aDeadText() {
  const customer = newCustomer();
  await admin.gateway.text({ from: customer, body: "My tap drips" });
  const reply = (await settledMessagesWith(admin.world, customer)).at(-1);
  if (reply === undefined) throw new Error("no reply");
  await admin.world.query(`UPDATE "Message" SET "status" = 'DEAD' WHERE "id" = $1`, [reply.id]);
  return { customer, id: reply.id };
}

describe("an alert", () => {
  it("is listed by state and acknowledged once, with one line in the audit", async () => {
    const id = await anAlert();
    const open = await superAdmin("GET", "/admin/alerts?state=OPEN");
    expect(open.body.items).toContainEqual(
      expect.objectContaining({ id, summary: "Nobody answered" }),
    );
    for (let times = 0; times < 2; times += 1)
      expect(await superAdmin("POST", `/admin/alerts/${id}/ack`)).toMatchObject({
        status: 200,
        body: { id, state: "ACKNOWLEDGED" },
      });
    expect(await admin.auditOf(id)).toMatchObject([
      { action: "alert.acknowledge", clientId: null },
    ]);
    const still = await superAdmin("GET", "/admin/alerts?state=OPEN");
    expect(still.body.items.map((alert) => alert.id)).not.toContain(id);
  });

  it("that is resolved or unknown cannot be acknowledged", async () => {
    const id = await anAlert("RESOLVED");
    expect((await superAdmin("POST", `/admin/alerts/${id}/ack`)).status).toBe(409);
    expect((await superAdmin("POST", `/admin/alerts/${newId()}/ack`)).status).toBe(404);
    expect((await superAdmin("POST", "/admin/alerts/nonsense/ack")).status).toBe(404);
  });
});

describe("the outbox", () => {
  it("shows what was given up on, its recipient masked and its words left out", async () => {
    const { id, customer } = await aDeadText();
    const dead = await superAdmin("GET", "/admin/outbox?state=DEAD");
    const entry = dead.body.items.find((item) => item.id === id);
    expect(entry).toMatchObject({ status: "DEAD", kind: "reply" });
    expect(entry).not.toHaveProperty("body");
    expect(JSON.stringify(entry)).not.toContain(customer);
    const open = await superAdmin("GET", "/admin/outbox");
    expect(open.body.items.map((item) => item.id)).toContain(id);
    const queued = await superAdmin("GET", "/admin/outbox?state=QUEUED");
    expect(queued.body.items.map((item) => item.id)).not.toContain(id);
    expect((await superAdmin("GET", "/admin/outbox?state=LOST")).body.error.details).toMatchObject([
      { field: "state" },
    ]);
  });

  it("sends a text again that was given up on, once", async () => {
    const { id, customer } = await aDeadText();
    const [first, second] = await Promise.all(
      [1, 2].map(() => superAdmin("POST", `/admin/outbox/${id}/replay`)),
    );
    expect([first?.status, second?.status].toSorted()).toEqual([202, 409]);
    await eventually(
      async () => (await settledMessagesWith(admin.world, customer)).at(-1)?.status,
      (status) => status === "SENT" || status === "DELIVERED",
    );
    expect((await admin.auditOf(id)).map(({ action }) => action)).toEqual(["outbox.replay"]);
    expect((await superAdmin("POST", `/admin/outbox/${newId()}/replay`)).status).toBe(404);
  });

  it("does not send it to somebody who wants no more texts", async () => {
    const { id, customer } = await aDeadText();
    await admin.gateway.text({ from: customer, body: "STOP" });
    expect((await superAdmin("POST", `/admin/outbox/${id}/replay`)).status).toBe(409);
    expect(await admin.auditOf(id)).toEqual([]);
  });
});

describe("a text to a number of nobody", () => {
  it("can be read, newest first", async () => {
    const [older, newer] = [newCustomer(), newCustomer()];
    for (const from of [older, newer])
      await admin.gateway.text({ from, to: "+447911999999", body: "Is this the right number?" });
    const { body } = await superAdmin("GET", "/admin/unrouted?limit=1");
    expect(body.items).toMatchObject([
      { sender: newer, recipient: "+447911999999", body: "Is this the right number?" },
    ]);
    const next = await superAdmin("GET", `/admin/unrouted?limit=1&cursor=${body.nextCursor}`);
    expect(next.body.items).toMatchObject([{ sender: older }]);
    expect(next.body.nextCursor).toBeNull();
  });
});
