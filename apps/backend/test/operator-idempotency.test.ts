import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { type RunningGateway, type World } from "./harness.ts";
import {
  answersTo,
  command,
  createOperatorWorld,
  jobOf,
  newCustomer,
  OPERATOR,
  SECOND_CONTACT,
  toldTo,
  urgentJob,
  URGENT_WORDS,
} from "./operator-world.ts";

const COPIES = 20;
const OTHER_NUMBER = "+447987000002";
const OTHER_OPERATOR = "+447700900222";
const otherTenant = newId();

let world: World;
let one: RunningGateway;
let two: RunningGateway;

beforeAll(async () => {
  world = await createOperatorWorld();
  await world.query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone") VALUES ($1, 'Other Plumbing', $2)`,
    [otherTenant, OTHER_OPERATOR],
  );
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
    [OTHER_NUMBER, otherTenant],
  );
  one = await world.startGateway();
  two = await world.startGateway();
});
beforeEach(() => world.query(`UPDATE "Client" SET "outboundPaused" = false`));
afterAll(() => world.close());

/** What a command can change and whom it can write to. */
async function effects(customer: string) {
  const { status, answeredAt } = await jobOf(world, customer);
  const told = ["customer_notice", "reply"].map((kind) => toldTo(world, customer, kind));
  const [conversation] = await world.query(
    `SELECT v."humanUntil", v."revision" FROM "Conversation" v
     JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $1`,
    [customer],
  );
  return { status, answeredAt, conversation, told: await Promise.all(told) };
}

describe("a command that comes again", () => {
  it.each([
    "YES #",
    "NO #",
    "DONE #",
    "REPLY # On my way",
    "RESUME #",
    "JOBS",
    "PAUSE",
    "RESUME",
    "HELP",
  ])("%s has one effect and one answer, at once in two gateways and later", async (template) => {
    const { customer, number } = await urgentJob(world, one);
    const body = template.replace("#", String(number));
    const sid = `SM${newId()}`;
    const before = (await answersTo(world, OPERATOR)).length;
    const sendTo = (gateway: RunningGateway) => gateway.text({ from: OPERATOR, body, sid });

    const answers = await Promise.all(
      Array.from({ length: COPIES }, (_, copy) => sendTo(copy % 2 === 0 ? one : two)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.every((answer) => answer.body === "<Response/>")).toBe(true);
    const after = await effects(customer);
    expect((await sendTo(two)).status).toBe(200);

    expect(await effects(customer)).toEqual(after);
    expect((await answersTo(world, OPERATOR)).length).toBe(before + 1);
    expect(after.told.every((texts) => texts.length <= 2)).toBe(true);
    const stored = await world.query(
      `SELECT "kind", "direction", "status", "conversationId" FROM "Message" WHERE "providerMessageId" = $1`,
      [sid],
    );
    expect(stored).toEqual([
      { kind: "operator_text", direction: "INBOUND", status: "RECEIVED", conversationId: null },
    ]);
  });

  it("YES from one phone and NO from the other at once: the first counts, the second is told", async () => {
    const { customer, number } = await urgentJob(world, one);
    const answers = await Promise.all([
      command(world, one, `YES ${number}`),
      command(world, two, `NO ${number}`, { from: SECOND_CONTACT }),
    ]);
    expect(answers.filter((answer) => /already/.test(answer ?? ""))).toHaveLength(1);
    expect(await toldTo(world, customer, "customer_notice")).toHaveLength(1);
  });
});

describe("two businesses with a customer in common", () => {
  it("an operator never reaches a job of the other business", async () => {
    const customer = newCustomer();
    const { number } = await urgentJob(world, one, customer);
    const other = { from: OTHER_OPERATOR, to: OTHER_NUMBER };
    for (const body of [
      `YES ${number}`,
      `DONE ${number}`,
      `REPLY ${number} hello`,
      `RESUME ${number}`,
    ])
      expect(await command(world, one, body, other)).toBe(
        `There is no job ${number}. JOBS shows what is open.`,
      );
    expect(await command(world, one, "YES", other)).toMatch(/^No urgent job is waiting/);
    expect(await command(world, one, "JOBS", other)).toBe("No open jobs.");
    expect((await jobOf(world, customer)).status).toBe("URGENT");
  });

  it("the same short number is another job at each", async () => {
    const shared = newCustomer();
    await one.text({ from: shared, to: OTHER_NUMBER, body: URGENT_WORDS });
    const [theirs] = await world.query<{ number: number }>(
      `SELECT "number" FROM "Job" WHERE "clientId" = $1 ORDER BY "number" DESC LIMIT 1`,
      [otherTenant],
    );
    expect(theirs?.number).toBe(1);
    const ofFirst = () =>
      world.query(`SELECT "status" FROM "Job" WHERE "clientId" <> $1 AND "number" = 1`, [
        otherTenant,
      ]);
    const before = await ofFirst();
    await command(world, one, "NO 1", { from: OTHER_OPERATOR, to: OTHER_NUMBER });
    expect(await ofFirst()).toEqual(before);
    expect(await toldTo(world, shared, "customer_notice")).toMatchObject([
      { sender: OTHER_NUMBER },
    ]);
  });

  it("an operator who texts the other business is a customer there", async () => {
    await one.text({ from: OTHER_OPERATOR, body: "PAUSE" });
    const tenants = await world.query(`SELECT 1 FROM "Client" WHERE "outboundPaused"`);
    expect(tenants).toEqual([]);
    expect(await toldTo(world, OTHER_OPERATOR, "reply")).toHaveLength(1);
  });
});
