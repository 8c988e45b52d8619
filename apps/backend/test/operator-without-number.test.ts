import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import type { InboundText } from "../src/conversations/handle-inbound.ts";
import { DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";
import { command, jobOf, OPERATOR, toldTo, URGENT_WORDS } from "./operator-world.ts";
import { createSweeper, LogOfAnyTime } from "./sweep-world.ts";
import {
  addWhatsAppTenant,
  createWhatsAppWorld,
  newPerson,
  startWhatsAppGateway,
} from "./whatsapp-world.ts";

/** Texts operators in one describe below, and belongs to nobody. */
const NOBODYS = "+447700900099";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world);
});
afterAll(() => world.close());

type Tenant = Awaited<ReturnType<typeof addTenant>>;
let tenants = 0;

/** A tenant that has a number on WhatsApp and none for texts, with people of its own unless given. */
async function addTenant(people: { operator?: string; secondContact?: string } = {}) {
  tenants += 1;
  const number = await addWhatsAppTenant(world, `10653000000${1_000 + tenants}`);
  const { operator = `+44770091${1_000 + tenants}`, secondContact = null } = people;
  await world.query(
    `UPDATE "Client" SET "operatorPhone" = $2, "secondContactPhone" = $3 WHERE "id" = $1`,
    [number.id, operator, secondContact],
  );
  return { ...number, operator };
}

/** A job that a customer's WhatsApp message has just made urgent: the operator is texted from the default sender. */
async function urgentJob({ phoneNumberId, operator }: Tenant, sender: string = DEMO_NUMBER) {
  const { phone: customer } = newPerson();
  await world.simulator.whatsApp.text({ from: customer, body: URGENT_WORDS, to: phoneNumberId });
  const job = await jobOf(world, customer);
  expect(job.status).toBe("URGENT");
  const told = await toldTo(world, operator, "urgent_alert");
  expect(told.at(-1)).toMatchObject({ sender });
  return { ...job, customer };
}

async function statusOf({ customer }: { customer: string }) {
  return (await jobOf(world, customer)).status;
}

/** Whose customer somebody is. */
async function customerOf(phone: string): Promise<string[]> {
  const rows = await world.query<{ clientId: string }>(
    `SELECT "clientId" FROM "Customer" WHERE "phone" = $1`,
    [phone],
  );
  return rows.map(({ clientId }) => clientId);
}

const say = (body: string, from: string, to = DEMO_NUMBER) =>
  command(world, gateway, body, { from, to });

describe("the operator of a business without a number for texts", () => {
  it("takes a job with a YES to the number that told them, and the customer hears of it on WhatsApp", async () => {
    const tenant = await addTenant();
    const job = await urgentJob(tenant);
    expect(await say("YES", tenant.operator)).toContain(`Job ${job.number} is yours.`);
    expect(await statusOf(job)).toBe("ACCEPTED");
    await world.simulator.waitForSent(2, { to: tenant.operator, from: DEMO_NUMBER });
    await world.simulator.whatsApp.waitForSent(2, {
      to: job.customer,
      from: tenant.phoneNumberId,
    });
    expect(await customerOf(tenant.operator)).toEqual([]);
  });

  it("is understood where texts are answered by a worker", async () => {
    const tenant = await addTenant();
    const job = await urgentJob(tenant);
    const deferred = await world.startGateway({ SMS_PROCESSING: "deferred" });
    await command(world, deferred, "YES", { from: tenant.operator });
    expect(await statusOf(job)).toBe("ACCEPTED");
    expect(await customerOf(tenant.operator)).toEqual([]);
    await deferred.stop();
  });

  it("is understood by the fallback", async () => {
    const tenant = await addTenant();
    const job = await urgentJob(tenant);
    const { body, status } = await gateway.text({
      from: tenant.operator,
      body: "YES",
      path: "/sms/fallback",
    });
    expect([status, body]).toEqual([200, "<Response/>"]);
    expect(await statusOf(job)).toBe("ACCEPTED");
    expect(await customerOf(tenant.operator)).toEqual([]);
  });

  it("is told which number of theirs customers call while answers are paused, and no other business is", async () => {
    const tenant = await addTenant();
    await urgentJob(tenant);
    expect(await say("PAUSE", tenant.operator)).toContain(`+${tenant.displayPhoneNumber}`);
    const paused = await world.query(`SELECT "id" FROM "Client" WHERE "outboundPaused"`);
    expect(paused).toEqual([{ id: tenant.id }]);
    await say("RESUME", tenant.operator);
  });

  it("shares this with their second contact, from the text that tells them", async () => {
    const secondContact = newPerson().phone;
    const tenant = await addTenant({ secondContact });
    const job = await urgentJob(tenant);
    await tellFrom(DEMO_NUMBER, tenant.id, secondContact);
    expect(await say("YES", secondContact)).toContain("is yours");
    expect(await statusOf(job)).toBe("ACCEPTED");
  });
});

/** A text of a tenant to one of its people, as the second one about an urgent job. */
async function tellFrom(sender: string, tenantId: string, recipient: string) {
  await world.query(
    `INSERT INTO "Message" ("id", "clientId", "direction", "channel", "kind", "sender", "recipient", "body", "status")
     VALUES ($1, $2, 'OUTBOUND', 'sms', 'urgent_alert', $3, $4, 'Urgent', 'SENT')`,
    [newId(), tenantId, sender, recipient],
  );
}

describe("a person of two businesses", () => {
  it("answers the one that wrote to them last, when neither has a number for texts", async () => {
    const one = await addTenant();
    const other = await addTenant({ operator: one.operator });
    const jobs = [await urgentJob(one), await urgentJob(other)] as const;
    await say("YES", one.operator);
    expect(await Promise.all(jobs.map(statusOf))).toEqual(["URGENT", "ACCEPTED"]);
    await tellFrom(DEMO_NUMBER, one.id, one.operator);
    await say("YES", one.operator);
    expect(await Promise.all(jobs.map(statusOf))).toEqual(["ACCEPTED", "ACCEPTED"]);
  });

  it("gives orders to the one whose number they text", async () => {
    const other = await addTenant({ operator: OPERATOR });
    const job = await urgentJob(other);
    expect(await say("YES", OPERATOR)).not.toContain("is yours");
    expect(await statusOf(job)).toBe("URGENT");
  });

  it("who is a customer of the number's business answers whichever wrote to them last", async () => {
    const tenant = await addTenant();
    await gateway.text({ from: tenant.operator, body: "My tap drips" });
    const job = await urgentJob(tenant);
    await say("YES", tenant.operator);
    expect(await statusOf(job)).toBe("ACCEPTED");

    await world.query(
      `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "sender", "recipient", "body", "status")
       SELECT $1, v."clientId", v."id", 'OUTBOUND', 'sms', $2, c."phone", 'When shall we come?', 'SENT'
       FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $3`,
      [newId(), DEMO_NUMBER, tenant.operator],
    );
    expect(await say("JOBS", tenant.operator)).toBeNull();
    expect((await toldTo(world, tenant.operator, "reply")).at(-1)?.body).toContain("JOBS");
    expect(await customerOf(tenant.operator)).toEqual([demoTenant.id]);
  });

  it("is a customer of the number's business while the number has told them nothing", async () => {
    const tenant = await addTenant();
    expect(await say("My tap drips", tenant.operator)).toBeNull();
    expect(await customerOf(tenant.operator)).toEqual([demoTenant.id]);
  });

  it("is a customer once they are not its operator any more, or it has a number for texts", async () => {
    const [left, equipped] = [await addTenant(), await addTenant()];
    for (const tenant of [left, equipped]) await urgentJob(tenant);
    await world.query(`UPDATE "Client" SET "operatorPhone" = '+447700900444' WHERE "id" = $1`, [
      left.id,
    ]);
    await world.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ('+447700900445', 'OPERATIONAL', $1)`,
      [equipped.id],
    );
    for (const { operator } of [left, equipped]) {
      expect(await say("JOBS", operator)).toBeNull();
      expect(await customerOf(operator)).toEqual([demoTenant.id]);
    }
  });
});

describe("a default sender that is nobody's number", () => {
  let nobodys: RunningGateway;
  const ask = (body: string, from: string) => command(world, nobodys, body, { from, to: NOBODYS });

  beforeAll(async () => {
    world.simulator.addNumber(NOBODYS);
    nobodys = await startWhatsAppGateway(world, { TWILIO_PHONE_NUMBER: NOBODYS });
  });
  afterAll(() => world.simulator.whatsApp.setWebhook(gateway.url + "/api/v1/whatsapp/webhook"));

  it("brings an operator's answer to their business", async () => {
    const tenant = await addTenant();
    const job = await urgentJob(tenant, NOBODYS);
    expect(await ask("YES", tenant.operator)).toContain("is yours");
    expect(await statusOf(job)).toBe("ACCEPTED");
  });

  it("knows the operator of one business before anything was told, and guesses none of two", async () => {
    const one = await addTenant();
    expect(await ask("JOBS", one.operator)).toBe("No open jobs.");
    const two = await addTenant();
    await addTenant({ operator: two.operator });
    expect(await ask("JOBS", two.operator)).toBeNull();
    const kept = await world.query(`SELECT "body" FROM "UnroutedMessage" WHERE "sender" = $1`, [
      two.operator,
    ]);
    expect(kept).toEqual([{ body: "JOBS" }]);
  });

  it("is swept for answers of operators, and for nobody else's texts", async () => {
    const tenant = await addTenant();
    await urgentJob(tenant, NOBODYS);
    const now = Date.now();
    const providerLog = new LogOfAnyTime();
    const [sid, receivedAt] = ["SMswept", now - 31_000];
    providerLog.add({ sid, from: tenant.operator, to: NOBODYS, body: "YES", receivedAt });
    const stranger = newPerson().phone;
    providerLog.add({ sid: "SMother", from: stranger, to: NOBODYS, body: "YES", receivedAt });
    const taken: InboundText[] = [];
    const operator = async (text: InboundText) => {
      taken.push(text);
      return { kind: "committed" } as const;
    };
    const sweeper = createSweeper(world, { providerLog, now: () => now, operator });
    await world.query('DELETE FROM "SweepState"');
    expect(await sweeper.run()).toEqual({ kind: "complete", recovered: 1 });
    await sweeper.close();
    expect(taken).toMatchObject([
      { providerMessageId: sid, address: { tenantId: tenant.id, customer: tenant.operator } },
    ]);
  });
});
