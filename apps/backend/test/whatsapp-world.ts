import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { signatureHeaders, type Simulator } from "@jobrun/simulator";
import { createWorld, post, type Answer, type RunningGateway, type World } from "./harness.ts";

export const WEBHOOK_PATH = "/api/v1/whatsapp/webhook";

/** What a gateway reads to reach the simulator's Meta side. */
function whatsAppEnvironment({ whatsApp }: Simulator): Record<string, string> {
  return {
    WHATSAPP_API_URL: whatsApp.apiUrl,
    WHATSAPP_ACCESS_TOKEN: whatsApp.accessToken,
    WHATSAPP_PHONE_NUMBER_ID: whatsApp.phoneNumberId,
    WHATSAPP_APP_SECRET: whatsApp.appSecret,
    WHATSAPP_VERIFY_TOKEN: whatsApp.verifyToken,
  };
}

/** A world whose demo tenant has the simulator's WhatsApp number. */
export async function createWhatsAppWorld(): Promise<World> {
  const world = await createWorld();
  await attachNumber(world, world.simulator.whatsApp, demoTenant.id);
  return world;
}

async function attachNumber(
  world: World,
  number: { phoneNumberId: string; displayPhoneNumber: string },
  tenantId: string,
): Promise<void> {
  await world.query(
    `INSERT INTO "ChannelNumber" ("channel", "address", "provider", "phoneNumber", "clientId")
     VALUES ('whatsapp', $1, 'whatsapp-cloud', $2, $3)`,
    [number.phoneNumberId, `+${number.displayPhoneNumber}`, tenantId],
  );
}

/** A gateway whose webhook the simulator's Meta side has verified and calls. */
export async function startWhatsAppGateway(
  world: World,
  env: Record<string, string> = {},
  timings: Parameters<World["startGateway"]>[1] = {},
): Promise<RunningGateway> {
  const gateway = await world.startGateway(
    { ...whatsAppEnvironment(world.simulator), ...env },
    timings,
  );
  await world.simulator.whatsApp.setWebhook(gateway.url + WEBHOOK_PATH);
  return gateway;
}

/** Posts a body to the webhook, signed over exactly its bytes unless headers are given. */
export function postAsMeta(
  gateway: RunningGateway,
  { whatsApp }: Simulator,
  body: string,
  headers = signatureHeaders("x-hub-signature-256", body, whatsApp),
): Promise<Answer> {
  return post(gateway.url + WEBHOOK_PATH, body, { "content-type": "application/json", ...headers });
}

let people = 0;

/** The phone number and user id of a person that no other test of the file has. */
export function newPerson(): { phone: string; userId: string } {
  people += 1;
  return { phone: `+4471235${10_000 + people}`, userId: `GB.1349120865530${10_000 + people}` };
}

/** Another tenant, with a WhatsApp number of its own. */
export async function addWhatsAppTenant(world: World, phoneNumberId: string) {
  const [id, number] = [
    newId(),
    { phoneNumberId, displayPhoneNumber: `4477008${phoneNumberId.slice(-5)}` },
  ];
  await world.query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone", "plan") VALUES ($1, 'Another business', '+447700900555',
       (SELECT "plan" FROM "Client" WHERE "id" = $2))`,
    [id, demoTenant.id],
  );
  world.simulator.whatsApp.addNumber(number);
  await attachNumber(world, number, id);
  return { id, ...number };
}

export interface WhatsAppRow {
  id: string;
  conversationId: string | null;
  direction: "INBOUND" | "OUTBOUND";
  kind: string;
  type: string;
  status: string;
  body: string;
  recipient: string;
  waMessageId: string | null;
  errorCode: string | null;
  attempts: number;
}

/** Every row on WhatsApp to or from one of these addresses of one person, in the order of commits. */
export function rowsWith(world: World, ...addresses: string[]): Promise<WhatsAppRow[]> {
  return world.query<WhatsAppRow>(
    `SELECT "id", "conversationId", "direction", "kind", "type", "status", "body", "recipient", "waMessageId",
       "errorCode", "attempts"
     FROM "Message" WHERE "channel" = 'whatsapp' AND ("sender" = ANY($1) OR "recipient" = ANY($1)) ORDER BY "position"`,
    [addresses],
  );
}

/** A row of the outbox in the conversation of a person with this address, as a commit writes it. */
export async function queueMessage(
  world: World,
  address: string,
  message: { body?: string; type?: string; payload?: unknown; kind?: string },
): Promise<string> {
  const { body = "Hello", type = "text", payload = null, kind = "reply" } = message;
  const [row] = await world.query<{ id: string }>(
    `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
       "body", "type", "payload", "status", "requestId", "priority")
     SELECT $1::uuid, v."clientId", v."id", 'OUTBOUND', 'whatsapp', $2::text, $3, $4::text, $5, $6, $7::jsonb, 'QUEUED',
       $1::uuid::text, CASE WHEN $2::text = 'campaign' THEN 1 ELSE 0 END
     FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId"
     WHERE v."channel" = 'whatsapp' AND $4::text IN (c."phone", c."userId") RETURNING "id"`,
    [
      newId(),
      kind,
      world.simulator.whatsApp.phoneNumberId,
      address,
      body,
      type,
      payload === null ? null : JSON.stringify(payload),
    ],
  );
  if (row === undefined) throw new Error(`${address} has no conversation`);
  return row.id;
}

/** Types of the alerts that are not resolved. */
export async function openAlerts(world: World): Promise<string[]> {
  const rows = await world.query<{ type: string }>(
    `SELECT "type" FROM "Alert" WHERE "state" <> 'RESOLVED' ORDER BY "type"`,
  );
  return rows.map(({ type }) => type);
}
