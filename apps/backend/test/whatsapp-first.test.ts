import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { RunningGateway, World } from "./harness.ts";
import { createWhatsAppWorld, startWhatsAppGateway } from "./whatsapp-world.ts";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWhatsAppWorld();
  gateway = await startWhatsAppGateway(world);
});
afterAll(() => world.close());

it("answers a WhatsApp message on WhatsApp, with ids of its own column", async () => {
  const { whatsApp } = world.simulator;
  const { id, final } = await whatsApp.text({ from: "+447123456789", body: "My tap drips" });
  expect(final).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  const [sent] = await whatsApp.waitForSent(1, { to: "+447123456789" });
  await gateway.logged(({ event }) => event === "message_sent");
  const rows = await world.query(
    `SELECT "direction", "channel", "type", "status", "waMessageId", "twilioSid" FROM "Message" ORDER BY "position"`,
  );
  const row = { channel: "whatsapp", type: "text", twilioSid: null };
  expect(rows).toEqual([
    { ...row, direction: "INBOUND", status: "RECEIVED", waMessageId: id },
    { ...row, direction: "OUTBOUND", status: "SENT", waMessageId: sent?.wamid },
  ]);
});
