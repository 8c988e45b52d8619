import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import type { World } from "./harness.ts";
import {
  createWhatsAppWorld,
  newPerson,
  openAlerts,
  queueMessage,
  startWhatsAppGateway,
} from "./whatsapp-world.ts";

let world: World;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  await startWhatsAppGateway(world, {}, { pollMs: 50 });
});
afterAll(() => world.close());

const whatsApp = () => world.simulator.whatsApp;

async function notice(field: string, value: object): Promise<void> {
  expect((await whatsApp().notice(field, value)).final?.status).toBe(200);
}

/** Of a template; Meta's ids of templates are numbers. */
const template = (event: string, id = 12345678) =>
  notice("message_template_status_update", {
    event,
    message_template_id: id,
    message_template_name: "still_interested",
    message_template_language: "en",
    reason: null,
  });

function stored(field: string) {
  return world.query<{ payload: object }>(
    'SELECT "payload" FROM "ProviderNotice" WHERE "field" = $1',
    [field],
  );
}

async function statusOf(id: string) {
  const [row] = await world.query<{ status: string }>(
    'SELECT "status" FROM "Message" WHERE "id" = $1',
    [id],
  );
  return row?.status;
}

const becomes = (id: string, status: string) =>
  eventually(
    () => statusOf(id),
    (now) => now === status,
  );

async function aCustomer(): Promise<string> {
  const { phone } = newPerson();
  await whatsApp().text({ from: phone, body: "My tap drips" });
  await whatsApp().waitForSent(1, { to: phone });
  return phone;
}

describe("what the provider says about account, number or template", () => {
  it("is stored once, however often it comes, and changes nothing when it stops nothing", async () => {
    const value = { event: "ONBOARDING", display_phone_number: "447700900888" };
    for (let time = 0; time < 3; time += 1) await notice("phone_number_quality_update", value);
    const rows = await stored("phone_number_quality_update");
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).toContain("ONBOARDING");
    await notice("some_field_of_the_future", { anything: ["at", "all"] });
    expect(await stored("some_field_of_the_future")).toHaveLength(1);
    expect(await openAlerts(world)).not.toContain("PROVIDER_RESTRICTION");
    expect(await world.query('SELECT 1 FROM "ChannelStop"')).toEqual([]);
  });

  it("holds campaigns back with an alert while answers go on, until all of it is over", async () => {
    const phone = await aCustomer();
    await template("PAUSED", 1);
    await template("DISABLED", 2);
    await eventually(
      () => openAlerts(world),
      (types) => types.filter((type) => type === "PROVIDER_RESTRICTION").length === 2,
    );
    const campaign = await queueMessage(world, phone, { kind: "campaign", body: "Spring check" });
    const other = await aCustomer();
    await becomes(await queueMessage(world, other, { body: "An answer" }), "SENT");
    expect(await statusOf(campaign)).toBe("QUEUED");

    await template("APPROVED", 1);
    await eventually(
      () => openAlerts(world),
      (types) => types.filter((type) => type === "PROVIDER_RESTRICTION").length === 1,
    );
    await becomes(await queueMessage(world, other, { body: "Another answer" }), "SENT");
    expect(await statusOf(campaign)).toBe("QUEUED");
    await template("APPROVED", 2);
    await becomes(campaign, "SENT");
    expect(await openAlerts(world)).not.toContain("PROVIDER_RESTRICTION");

    // The provider repeats for days what it believes unheard: what is over stays over.
    await template("PAUSED", 1);
    expect(await openAlerts(world)).not.toContain("PROVIDER_RESTRICTION");
    expect(await world.query('SELECT 1 FROM "ChannelStop"')).toEqual([]);
  });

  it("that the account is restricted raises the alert, in words without its id", async () => {
    await notice("account_update", {
      event: "ACCOUNT_RESTRICTION",
      restriction_info: [{ restriction_type: "RESTRICTED_BIZ_INITIATED_MESSAGING" }],
    });
    const [alert] = await eventually(
      () =>
        world.query<{ summary: string }>(
          `SELECT "summary" FROM "Alert" WHERE "type" = 'PROVIDER_RESTRICTION' AND "state" <> 'RESOLVED'`,
        ),
      (alerts) => alerts.length === 1,
    );
    expect(alert?.summary).toMatch(/restricted the WhatsApp account/);
  });

  it("comes beside messages without costing them anything", async () => {
    const { phone } = newPerson();
    const account = { id: "102290129340398" };
    const { final } = await whatsApp().deliver([
      { ...account, changes: [{ field: "security", value: { event: "PIN_CHANGED" } }] },
      { ...account, changes: [null, "odd", { field: "messages", value: null }] },
      {
        ...account,
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { phone_number_id: whatsApp().phoneNumberId, display_phone_number: "44" },
              errors: [{ code: 131000, title: "Something went wrong" }],
              messages: [
                {
                  from: phone.slice(1),
                  id: `wamid.beside${phone}`,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: "text",
                  text: { body: "My tap drips" },
                },
              ],
            },
          },
        ],
      },
    ]);
    expect(final?.status).toBe(200);
    expect(await whatsApp().waitForSent(1, { to: phone })).toHaveLength(1);
    expect(await stored("security")).toHaveLength(1);
    expect(await stored("errors")).toHaveLength(1);
  });
});
