import { expect } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { eventually } from "./eventually.ts";
import { createWorld, DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";

export const OPERATOR = demoTenant.operatorPhone;
export const SECOND_CONTACT = "+447700900456";
export const URGENT_WORDS = "A pipe burst, water is coming through my kitchen ceiling";

export interface JobRow {
  id: string;
  clientId: string;
  number: number;
  status: string;
  answeredAt: Date | null;
  secondTextAt: Date | null;
  founderToldAt: Date | null;
}

/** The demo tenant with an owner's name and a second contact. */
export async function createOperatorWorld(): Promise<World> {
  const world = await createWorld();
  await world.query(
    `UPDATE "Client" SET "ownerName" = 'Sam', "secondContactPhone" = $2 WHERE "id" = $1`,
    [demoTenant.id, SECOND_CONTACT],
  );
  return world;
}

let customers = 0;

/** A customer that no other test of the file has. */
export function newCustomer(): string {
  customers += 1;
  return `+4471234${String(10_000 + customers)}`;
}

/** The newest job of a customer. */
export async function jobOf(world: World, customer: string): Promise<JobRow> {
  const [job] = await world.query<JobRow>(
    `SELECT j.* FROM "Job" j JOIN "Conversation" v ON v."id" = j."conversationId"
     JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $1 ORDER BY j."number" DESC LIMIT 1`,
    [customer],
  );
  if (job === undefined) throw new Error(`${customer} has no job`);
  return job;
}

/** A job that a new customer's text has just made urgent. */
export async function urgentJob(world: World, gateway: RunningGateway, from = newCustomer()) {
  await gateway.text({ from, body: URGENT_WORDS });
  const job = await jobOf(world, from);
  expect(job.status).toBe("URGENT");
  return { customer: from, ...job };
}

/** Texts a command as the operator and returns what they are answered; null when that is nothing. */
export async function command(
  world: World,
  gateway: RunningGateway,
  body: string,
  { from = OPERATOR as string, to = DEMO_NUMBER, sid = `SM${newId()}` } = {},
): Promise<string | null> {
  const before = (await answersTo(world, from)).length;
  const { status } = await gateway.text({ body, from, to, sid });
  expect(status).toBe(200);
  return (await answersTo(world, from)).at(before) ?? null;
}

/** What somebody was answered, in the order of commits. */
export async function answersTo(world: World, operator: string): Promise<string[]> {
  const rows = await world.query<{ body: string }>(
    `SELECT "body" FROM "Message" WHERE "kind" = 'operator_reply' AND "recipient" = $1 ORDER BY "position"`,
    [operator],
  );
  return rows.map(({ body }) => body);
}

/** What a customer was told, by kind, in the order of commits. */
export function toldTo(world: World, customer: string, kind: string) {
  return world.query<{ body: string; sender: string; inConversation: boolean }>(
    `SELECT "body", "sender", "conversationId" IS NOT NULL AS "inConversation" FROM "Message"
     WHERE "direction" = 'OUTBOUND' AND "recipient" = $1 AND "kind" = $2 ORDER BY "position"`,
    [customer, kind],
  );
}

/** States of the founder's alert about a job, oldest first. */
export async function alertsAbout(world: World, jobId: string) {
  return world.query<{ state: string; severity: string; summary: string }>(
    `SELECT "state"::text AS "state", "severity", "summary" FROM "Alert" WHERE "key" = $1 ORDER BY "raisedAt"`,
    [`URGENT_JOB_UNANSWERED:${jobId}`],
  );
}

/** Waits until every timer about a job that was set has fired, at least `atLeast` of them. */
export function timersFired(world: World, jobId: string, atLeast = 1): Promise<unknown> {
  return eventually(
    () =>
      world.query<{ state: string }>(
        `SELECT "state"::text AS "state" FROM pgboss.job WHERE "data"->'data'->>'jobId' = $1`,
        [jobId],
      ),
    (timers) => timers.length >= atLeast && timers.every(({ state }) => state === "completed"),
  );
}
