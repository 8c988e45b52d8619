import { setTimeout as sleep } from "node:timers/promises";
import { CONCURRENCY } from "../../apps/backend/src/outbound/dispatch.ts";
import { type Row, spread } from "./results.ts";
import type { Subject, World } from "./world.ts";

const PROVIDER_MS = 200;
const ROUNDS = 3;
const WARM_UP_SECONDS = 1.5;
const ROUND_SECONDS = 5;
/** More than can be sent until the end of a round: 64 in flight at 200 ms each are 320 a second. */
const QUEUED = 3000;
/** No tenant may have more than half of the dispatcher. */
const TENANTS = 4;
const SENDERS_PER_TENANT = 2;

/**
 * B4: sends accepted per second by one process, the provider taking 200 ms, against plain `fetch` that
 * posts the same form with as many requests in flight. Rounds alternate, so that noise meets both.
 */
export async function dispatch(world: World, say: (line: string) => void): Promise<Row[]> {
  const gateway = await world.start("bench_dispatch", new URL("./gateway.ts", import.meta.url));
  const plain = await world.startWithoutDatabase(new URL("./plain-fetch.ts", import.meta.url));
  const rates = { gateway: [] as number[], plain: [] as number[] };
  await world.setFaults({ twilioDelayMs: PROVIDER_MS, receipts: false });
  try {
    await fillTenants(gateway);
    // The first round of each warms the process up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const fetched = await fetchRound(plain.url);
      const sent = await gatewayRound(gateway);
      if (round === 0) continue;
      rates.plain.push(fetched);
      rates.gateway.push(sent);
      say(`  round ${round}: fetch ${fetched.toFixed(0)}/s, gateway ${sent.toFixed(0)}/s`);
    }
  } finally {
    await world.setFaults({ twilioDelayMs: 0, receipts: true });
    await plain.stop();
    await gateway.stop();
  }
  const row = (what: string, reference: Row["reference"], atLeast: number): Row => ({
    bench: "B4",
    what,
    gateway: spread(rates.gateway),
    reference,
    target: { atLeast },
  });
  return [
    row(`sends accepted/s, provider ${PROVIDER_MS} ms`, spread(rates.plain), 0.7),
    row("sends accepted/s of one process", null, 160),
  ];
}

async function fetchRound(url: string): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify({
      concurrency: CONCURRENCY,
      warmUpSeconds: WARM_UP_SECONDS,
      seconds: ROUND_SECONDS,
    }),
  });
  if (!response.ok) throw new Error(`plain fetch: ${await response.text()}`);
  return Number(await response.text());
}

/** Sends of a full queue, counted over a time in which the queue neither begins nor ends. */
async function gatewayRound(gateway: Subject): Promise<number> {
  await fillQueue(gateway);
  const first = await firstSend(gateway);
  // Nothing is asked of the database meanwhile; each row says when its outcome was written.
  await sleep((WARM_UP_SECONDS + ROUND_SECONDS) * 1000);
  const [counted] = await gateway.query<{ sent: number; queued: number; other: number }>(
    `SELECT count(*) FILTER (WHERE "sentAt" >= $1::timestamptz + make_interval(secs => $2)
         AND "sentAt" < $1::timestamptz + make_interval(secs => $2 + $3))::int AS sent,
       count(*) FILTER (WHERE "status" = 'QUEUED')::int AS queued,
       count(*) FILTER (WHERE "status" NOT IN ('QUEUED', 'SENDING', 'SENT'))::int AS other
     FROM "Message"`,
    [first, WARM_UP_SECONDS, ROUND_SECONDS],
  );
  if (counted === undefined || counted.queued === 0)
    throw new Error("the queue ended before the round did");
  if (counted.other > 0) throw new Error(`${counted.other} texts were not accepted`);
  await gateway.query(`DELETE FROM "Message" WHERE "status" = 'QUEUED'`);
  await gateway.quiet();
  await gateway.query(`DELETE FROM "Message"`);
  return counted.sent / ROUND_SECONDS;
}

const LIMIT_MS = 10_000;

async function firstSend(gateway: Subject): Promise<Date> {
  const limit = Date.now() + LIMIT_MS;
  while (Date.now() < limit) {
    const [row] = await gateway.query<{ first: Date | null }>(
      `SELECT min("sentAt") AS first FROM "Message"`,
    );
    if (row?.first) return row.first;
    await sleep(50);
  }
  throw new Error("the dispatcher sends nothing");
}

/** Tenants with their numbers, and a conversation for every text of a round. */
async function fillTenants({ query }: Subject): Promise<void> {
  await query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone")
     SELECT uuidv7(), 'Bench ' || n, '+4477009005' || to_char(n, 'FM00') FROM generate_series(1, $1::int) n`,
    [TENANTS],
  );
  await query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId")
     SELECT '+44790000' || to_char(row_number() OVER (), 'FM0000'), 'OPERATIONAL', t."id"
     FROM "Client" t, generate_series(1, $1::int) WHERE t."name" LIKE 'Bench %'`,
    [SENDERS_PER_TENANT],
  );
  await query(
    `WITH number AS (
       SELECT "clientId", row_number() OVER (ORDER BY "phoneNumber") - 1 AS n FROM "TwilioNumberPool"
       WHERE "phoneNumber" LIKE '+44790000%'
     ), customer AS (
       INSERT INTO "Customer" ("id", "clientId", "phone")
       SELECT uuidv7(), number."clientId", '+447500' || to_char(i, 'FM000000')
       FROM generate_series(1, $1::int) i JOIN number ON number.n = i % $2::int
       RETURNING "id", "clientId"
     )
     INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel")
     SELECT uuidv7(), "clientId", "id", 'sms' FROM customer`,
    [QUEUED, TENANTS * SENDERS_PER_TENANT],
  );
}

/** One reply in each conversation, all at once, tenants and senders mixed. */
async function fillQueue({ query }: Subject): Promise<void> {
  await query(
    `WITH number AS (
       SELECT "clientId", "phoneNumber",
         row_number() OVER (PARTITION BY "clientId" ORDER BY "phoneNumber") - 1 AS n
       FROM "TwilioNumberPool" WHERE "phoneNumber" LIKE '+44790000%'
     ), asked AS (
       SELECT c."id", c."clientId", p."phone", row_number() OVER (ORDER BY p."phone") AS i
       FROM "Conversation" c JOIN "Customer" p ON p."id" = c."customerId"
     )
     INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender",
       "recipient", "body", "segments", "status", "requestId")
     SELECT uuidv7(), a."clientId", a."id", 'OUTBOUND', 'sms', 'reply', number."phoneNumber", a."phone",
       $1, 1, 'QUEUED', 'bench-' || a.i
     FROM asked a JOIN number ON number."clientId" = a."clientId" AND number.n = a.i / $2::int % $3::int
     ORDER BY a.i`,
    [BODY, TENANTS * SENDERS_PER_TENANT, SENDERS_PER_TENANT],
  );
  // In the long run autovacuum keeps the statistics; here the table was empty a moment ago.
  await query(`ANALYZE "Message"`);
}

const BODY =
  "Thanks, we have your message about the dripping kitchen tap. When would suit you this week, and what is your postcode?";
