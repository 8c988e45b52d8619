import { demoTenant } from "@jobrun/db/migrate";
import type { Subject } from "./world.ts";

const CONVERSATIONS = 100_000;
/** In turn from the customer and to them. */
const MESSAGES_EACH = 10;
/** Besides the demo tenant, which gets the load and has half of everything: the worst case of a tenant's size. */
const OTHER_TENANTS = 9;
const DAYS_BETWEEN_MESSAGES = 3;

/**
 * A million messages of 100,000 customers, written in the order in which they would have come: those
 * of one conversation lie far apart. Every third conversation has a job, every tenth an
 * open one; every fiftieth customer has opted out.
 */
export async function fillStored(
  query: Subject["query"],
  say: (line: string) => void,
): Promise<void> {
  await query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone")
     SELECT uuidv7(), 'Stored ' || n, '+4477009004' || to_char(n, 'FM00') FROM generate_series(1, $1::int) n`,
    [OTHER_TENANTS],
  );
  await query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId")
     SELECT '+44790100' || to_char(row_number() OVER (), 'FM0000'), 'OPERATIONAL', "id"
     FROM "Client" WHERE "name" LIKE 'Stored %'`,
  );
  await query(
    `WITH tenant AS (
       SELECT "id", row_number() OVER (ORDER BY "id") - 1 AS n FROM "Client" WHERE "name" LIKE 'Stored %'
     ), customer AS (
       INSERT INTO "Customer" ("id", "clientId", "phone", "optedOutAt")
       SELECT uuidv7(), CASE WHEN i % 2 = 0 THEN $3::uuid ELSE tenant."id" END, '+447300' || to_char(i, 'FM000000'),
         CASE WHEN i % 50 = 0 THEN now() - make_interval(days => $5) END
       FROM generate_series(1, $1::int) i JOIN tenant ON tenant.n = i / 2 % $2::int
       RETURNING "id", "clientId"
     )
     INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel", "revision", "lastInboundAt", "updatedAt")
     SELECT uuidv7(), "clientId", "id", 'sms', $4::int / 2, now() - make_interval(days => $5), now() - make_interval(days => $5)
     FROM customer`,
    [CONVERSATIONS, OTHER_TENANTS, demoTenant.id, MESSAGES_EACH, DAYS_BETWEEN_MESSAGES],
  );
  await query("ANALYZE");
  for (let message = 1; message <= MESSAGES_EACH; message += 1) {
    await query(messagesSql(message));
    say(
      `  stored ${count(message * CONVERSATIONS)} of ${count(MESSAGES_EACH * CONVERSATIONS)} messages`,
    );
  }
  await query(
    `INSERT INTO "Job" ("id", "clientId", "conversationId", "number", "summary", "type", "status")
     SELECT uuidv7(), "clientId", "id", row_number() OVER (PARTITION BY "clientId"), 'A kitchen tap drips', 'plumbing',
       CASE WHEN n % 10 = 0 THEN 'READY' WHEN n % 7 = 0 THEN 'DECLINED' ELSE 'DONE' END::"JobStatus"
     FROM (SELECT *, row_number() OVER (ORDER BY "id") AS n FROM "Conversation") v WHERE n % 3 = 0 OR n % 10 = 0`,
  );
  await query(
    `UPDATE "Client" t SET "lastJobNumber" = (SELECT count(*) FROM "Job" j WHERE j."clientId" = t."id")`,
  );
  say("  vacuuming");
  // In the long run the server has done both; here they would fall into what is measured.
  await query("VACUUM (ANALYZE)");
  await query("CHECKPOINT");
}

/** The n-th message of every conversation. Without the checks of foreign keys: they would take most of the time. */
function messagesSql(message: number): string {
  const ago = `interval '${(MESSAGES_EACH - message + 1) * DAYS_BETWEEN_MESSAGES} days'`;
  const columns =
    message % 2 === 1
      ? `'INBOUND', 'sms', 'text', c."phone", number."phoneNumber",
         'The kitchen tap still drips, could somebody come on Thursday after four? (' || i || ')', 'RECEIVED'`
      : `'OUTBOUND', 'sms', 'reply', number."phoneNumber", c."phone",
         'Thanks, we have your message about the dripping kitchen tap. When would suit you, and what is your postcode?',
         CASE WHEN i % 20 = 0 THEN 'SENT' ELSE 'DELIVERED' END`;
  return `
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO "Message" ("id", "clientId", "conversationId", "requestId", "providerMessageId", "createdAt", "dueAt", "sentAt",
      "direction", "channel", "kind", "sender", "recipient", "body", "status")
    SELECT "id", "clientId", "conversationId", "id"::text, 'SM' || md5("id"::text), "at", "at",
      CASE WHEN direction = 'OUTBOUND' THEN "at" END, direction::"MessageDirection", channel, kind, sender, recipient, body,
      status::"MessageStatus"
    FROM (
      SELECT uuidv7(-(${ago})), v."clientId", v."id", now() - ${ago}, ${columns}
      FROM (SELECT *, row_number() OVER () AS i FROM "Conversation") v
      JOIN "Customer" c ON c."id" = v."customerId"
      JOIN LATERAL (SELECT "phoneNumber" FROM "TwilioNumberPool" p WHERE p."clientId" = v."clientId" LIMIT 1) number ON true
    ) m("id", "clientId", "conversationId", "at", direction, channel, kind, sender, recipient, body, status);
    COMMIT`;
}

function count(messages: number): string {
  return messages.toLocaleString("en");
}
