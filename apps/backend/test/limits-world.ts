import { demoTenant } from "@jobrun/db/migrate";
import { eventually } from "./eventually.ts";
import {
  createWorld,
  DEMO_NUMBER,
  post,
  type Answer,
  type LogLine,
  type RunningGateway,
  type World,
} from "./harness.ts";

/** What Meta calls the demo tenant's number in these tests. */
const PHONE_NUMBER_ID = "106540352242922";

export const QUOTA_TEXT =
  "⚠️ Ce service a atteint sa limite de messages pour ce mois. Nous ne pouvons pas répondre pour l'instant. Veuillez réessayer le mois prochain ou contacter l'administrateur. Merci de votre compréhension.";
export const RATE_TEXT =
  "⚠️ Trop de messages en peu de temps. Merci de réessayer dans quelques instants.";

/** A world whose demo tenant speaks French, is on the plan `starter` with its rates, and is on WhatsApp too. */
export async function createLimitsWorld(): Promise<World> {
  const world = await createWorld({ usualRates: true });
  await world.query(`UPDATE "Client" SET "locale" = 'fr', "plan" = 'starter'`);
  await world.query(
    `INSERT INTO "ChannelNumber" ("channel", "address", "provider", "phoneNumber", "clientId")
     VALUES ('whatsapp', $1, 'whatsapp-cloud', $2, $3)`,
    [PHONE_NUMBER_ID, DEMO_NUMBER, demoTenant.id],
  );
  return world;
}

/** The environment of the checklist: no signatures, and the number that is assumed where a webhook names none. */
export const CHECKLIST = {
  WEBHOOK_SIGNATURES: "off",
  WHATSAPP_PHONE_NUMBER_ID: PHONE_NUMBER_ID,
};

/** The checklist's curl, to the letter: no metadata, no contacts, no timestamp. */
export function curl(
  gateway: RunningGateway,
  { from, id, body }: { from: string; id: string; body: string },
): Promise<Answer> {
  const payload = `{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"messages":[{"from":"${from}","id":"${id}","type":"text","text":{"body":"${body}"}}]}}]}]}`;
  const url = `${gateway.url}/api/v1/whatsapp/webhook`;
  return post(url, payload, { "content-type": "application/json" });
}

let people = 0;

/** A number that nobody else in the file has, E.164 with +. */
export function newCustomer(): string {
  people += 1;
  return `+4471236${String(10_000 + people)}`;
}

/** Writes what the demo tenant has used, as if others had used it. */
export async function setUsed(
  world: World,
  { messages = 0, dayTokens = 0 }: { messages?: number; dayTokens?: number },
): Promise<void> {
  await world.query(`DELETE FROM "Usage"`);
  await world.query(
    `INSERT INTO "Usage" ("clientId", "period", "messages", "tokens", "day", "dayTokens")
     SELECT "id", to_char(now() AT TIME ZONE "timeZone", 'YYYY-MM'), $1::int, $2::bigint,
       to_char(now() AT TIME ZONE "timeZone", 'YYYY-MM-DD'), $2::bigint FROM "Client" WHERE "id" = $3`,
    [messages, dayTokens, demoTenant.id],
  );
}

/** What the demo tenant has used, all rows together. */
export async function used(world: World): Promise<{ messages: number; dayTokens: number }> {
  const [row] = await world.query<{ messages: number; dayTokens: number }>(
    `SELECT COALESCE(sum("messages"), 0)::int AS "messages", COALESCE(sum("dayTokens"), 0)::int AS "dayTokens"
     FROM "Usage" WHERE "clientId" = $1`,
    [demoTenant.id],
  );
  if (row === undefined) throw new Error("no sum");
  return row;
}

/** Gives the demo tenant limits of their own. */
export function setLimits(world: World, limits: Record<string, unknown>): Promise<unknown> {
  return world.query(`UPDATE "Client" SET "limits" = $1 WHERE "id" = $2`, [limits, demoTenant.id]);
}

/** The events of one message, in order. */
export function eventsOf(gateway: RunningGateway, providerMessageId: string): LogLine[] {
  const ids = new Set(
    gateway.log
      .filter((line) => line["providerMessageId"] === providerMessageId)
      .map((line) => line["requestId"]),
  );
  return gateway.log.filter((line) => line.event !== undefined && ids.has(line["requestId"]));
}

export function namesOf(lines: LogLine[]): (string | undefined)[] {
  return lines.map(({ event }) => event);
}

/** What the customer was told so far, sent or not, in order. */
export async function toldTo(
  world: World,
  phone: string,
): Promise<{ kind: string; body: string }[]> {
  return world.query(
    `SELECT m."kind", m."body" FROM "Message" m JOIN "Conversation" v ON v."id" = m."conversationId"
     JOIN "Customer" c ON c."id" = v."customerId"
     WHERE c."phone" = $1 AND m."direction" = 'OUTBOUND' ORDER BY m."position"`,
    [phone],
  );
}

/** How often the use of tenants was looked at, once every session of a gateway has ended and reported it. */
export async function usageScans(world: World): Promise<number> {
  await eventually(
    () =>
      world.query<{ sessions: number }>(
        `SELECT count(*)::int AS "sessions" FROM pg_stat_activity
         WHERE "datname" = current_database() AND "pid" <> pg_backend_pid() AND "backend_type" = 'client backend'`,
      ),
    ([row]) => row?.sessions === 0,
  );
  // What this session itself did is reported too.
  await world.query("SELECT pg_stat_force_next_flush()");
  const [row] = await world.query<{ scans: number }>(
    `SELECT (seq_scan + COALESCE(idx_scan, 0))::int AS "scans" FROM pg_stat_user_tables WHERE relname = 'Usage'`,
  );
  return row?.scans ?? Number.NaN;
}
