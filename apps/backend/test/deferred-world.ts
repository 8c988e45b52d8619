import { expect } from "@jest/globals";
import { newId } from "@jobrun/db";
import { DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";
import { messagesWith } from "./rows.ts";

export const DEFERRED = { SMS_PROCESSING: "deferred" };
/** So long that only a call of another process can be why something is looked for. */
export const RARELY = { pollMs: 60_000 };
export const OFTEN = { pollMs: 50 };

/** What a text is answered that is taken. */
export const EMPTY = {
  status: 200,
  contentType: expect.stringContaining("text/xml"),
  body: "<Response/>",
};
export const HOLDING = "Thanks, we have your message and will be back to you shortly.";

export function countOf(gateway: RunningGateway, event: string): number {
  return gateway.log.filter((line) => line.event === event).length;
}

/** What the model was shown when it last answered. */
export function lastShown(world: World): string[] {
  const call = world.simulator.modelCalls().findLast(({ outcome }) => outcome === "answered");
  return (call?.messages ?? []).map(({ content }) => content);
}

export async function inboundOf(world: World, person: string) {
  const rows = await messagesWith(world, person);
  return rows.filter(({ direction }) => direction === "INBOUND");
}

/** Another tenant with a number of its own. */
export async function addTenant(world: World, texts: string): Promise<string> {
  const id = newId();
  await world.query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone", "plan") VALUES ($1, 'Another business', '+447700900777', 'enterprise')`,
    [id],
  );
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
    [texts, id],
  );
  return id;
}

interface StoredEarlier {
  /** How many customers of the demo tenant have one text each */
  customers: number;
  /** Start of their numbers, completed to four more digits */
  prefix: string;
  secondsAgo: number;
  /** Whether some process that says no more still has a claim on them */
  leased?: boolean;
}

/** Deferred texts that somebody stored before, in the order of the numbers. @returns the numbers */
export async function storeEarlier(
  world: World,
  { customers, prefix, secondsAgo, leased = false }: StoredEarlier,
): Promise<string[]> {
  const phones = Array.from(
    { length: customers },
    (_, index) => prefix + String(index).padStart(4, "0"),
  );
  await world.query(
    `WITH tenant AS (SELECT "clientId" AS "id" FROM "TwilioNumberPool" WHERE "phoneNumber" = $1),
     person AS (
       INSERT INTO "Customer" ("id", "clientId", "phone") SELECT gen_random_uuid(), tenant."id", phone
       FROM tenant, unnest($2::text[]) phone RETURNING *
     ), conversation AS (
       INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel")
       SELECT gen_random_uuid(), "clientId", "id", 'sms' FROM person RETURNING *
     )
     INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient", "body",
       "status", "requestId", "providerMessageId", "createdAt", "dueAt", "leasedUntil")
     SELECT gen_random_uuid(), v."clientId", v."id", 'INBOUND', 'sms', 'text', p."phone", $1, 'My pipe leaks',
       'DEFERRED', 'request of ' || p."phone", 'SM' || p."phone", now() - make_interval(secs => $3),
       CASE WHEN $4 THEN now() + interval '10 minutes' ELSE now() END, CASE WHEN $4 THEN now() + interval '10 minutes' END
     FROM conversation v JOIN person p ON p."id" = v."customerId" ORDER BY p."phone"`,
    [DEMO_NUMBER, phones, secondsAgo, leased],
  );
  return phones;
}
