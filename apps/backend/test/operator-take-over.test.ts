import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";
import {
  command,
  createOperatorWorld,
  jobOf,
  newCustomer,
  OPERATOR,
  timersFired,
  toldTo,
  urgentJob,
} from "./operator-world.ts";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createOperatorWorld();
  gateway = await world.startGateway();
});
beforeEach(() => world.simulator.reset());
afterAll(() => world.close());

const say = (body: string) => command(world, gateway, body);
const replies = async (customer: string) =>
  (await toldTo(world, customer, "reply")).map(({ body }) => body);

async function job() {
  const customer = newCustomer();
  await gateway.text({ from: customer, body: "I need a plumber for my tap" });
  const { number } = await jobOf(world, customer);
  return { customer, number };
}

async function humanHours(customer: string): Promise<number | null> {
  const [row] = await world.query<{ hours: number | null }>(
    `SELECT extract(epoch FROM v."humanUntil" - now())::float8 / 3600 AS "hours"
     FROM "Conversation" v JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $1`,
    [customer],
  );
  return row?.hours ?? null;
}

describe("REPLY", () => {
  it("sends the operator's own words, and the assistant stays out until RESUME", async () => {
    const { customer, number } = await job();
    expect(await say(`reply ${number}: Hi, it's Sam. I'll be there at 5, OK?`)).toMatch(
      new RegExp(
        `^Sent to \\${customer}\\. The assistant leaves this customer to you for 12 hours`,
      ),
    );
    const [, own] = await toldTo(world, customer, "reply");
    expect(own).toEqual({
      body: "Hi, it's Sam. I'll be there at 5, OK?",
      sender: DEMO_NUMBER,
      inConversation: true,
    });
    expect(await humanHours(customer)).toBeCloseTo(12, 1);

    await gateway.text({ from: customer, body: "I need it at 6 please" });
    expect(await replies(customer)).toHaveLength(2);
    expect(await toldTo(world, OPERATOR, "forwarded")).toEqual([
      {
        body: `${customer} wrote: "I need it at 6 please" REPLY ${number} and your words answers them, RESUME ${number} leaves it to the assistant.`,
        sender: DEMO_NUMBER,
        inConversation: false,
      },
    ]);

    expect(await say(`RESUME ${number}`)).toBe(
      `The assistant answers the customer of job ${number} again.`,
    );
    expect(await humanHours(customer)).toBeNull();
    await gateway.text({ from: customer, body: "I need it at 6 please" });
    expect(await replies(customer)).toHaveLength(3);
  });

  it("is refused for a customer who wants no texts, and for one without words", async () => {
    const { customer, number } = await job();
    expect(await say(`REPLY ${number}`)).toBe(
      `What should we tell them? Write it after the number: REPLY ${number} and your words.`,
    );
    await gateway.text({ from: customer, body: "STOP" });
    expect(await say(`REPLY ${number} Are you there?`)).toBe(
      `Not sent: ${customer} wants no more texts from you. Please call them.`,
    );
    expect(await replies(customer)).toHaveLength(1);
    expect(await humanHours(customer)).toBeNull();
  });

  it("that is too long for a text is sent cut, and the operator is told where", async () => {
    const { customer, number } = await job();
    const words = Array.from({ length: 120 }, (_, index) => `word${index}`).join(" ");
    const answer = (await say(`REPLY ${number} ${words}`)) ?? "";
    const [, sent] = await replies(customer);
    expect(sent).toMatch(/^word0 .*\.\.\.$/);
    const end = /ends after "(.+)"/.exec(answer)?.[1] ?? "nothing";
    expect(sent?.endsWith(`${end}...`)).toBe(true);
  });

  it("counts as the answer to an urgent job without taking it", async () => {
    const { id, number, customer } = await urgentJob(world, gateway);
    await say(`REPLY ${number} Turn the water off under the sink, I'll call you`);
    expect(await jobOf(world, customer)).toMatchObject({
      status: "URGENT",
      answeredAt: expect.any(Date),
    });
    await world.query(
      `UPDATE pgboss.job SET start_after = now() WHERE data->'data'->>'jobId' = $1`,
      [id],
    );
    await timersFired(world, id, 2);
    expect(await jobOf(world, customer)).toMatchObject({ secondTextAt: null, founderToldAt: null });
    expect(await say(`YES ${number}`)).toMatch(/is yours/);
  });
});

describe("PAUSE", () => {
  it("turns customers to the telephone until RESUME; REPLY still goes out", async () => {
    const { customer, number } = await job();
    expect(await say("PAUSE")).toBe(
      `Paused. Customers who text are asked to call ${DEMO_NUMBER}. RESUME switches answers on again.`,
    );
    const calls = world.simulator.modelCalls().length;
    await gateway.text({ from: customer, body: "I need a plumber tonight" });
    const [, deflection] = await replies(customer);
    expect(deflection).toMatch(/^Thanks for your message! We're temporarily unable/);
    expect(deflection).toContain(DEMO_NUMBER);
    expect(world.simulator.modelCalls()).toHaveLength(calls);

    await say(`REPLY ${number} I'm away, back on Monday`);
    expect((await replies(customer)).at(-1)).toBe("I'm away, back on Monday");
    await say(`RESUME ${number}`);
    await gateway.text({ from: customer, body: "I need a plumber tonight" });
    expect((await replies(customer)).at(-1)).toBe(deflection);

    expect(await say("RESUME")).toBe("On again. Customers who text get an answer.");
    await gateway.text({ from: customer, body: "I need a plumber tonight" });
    expect((await replies(customer)).at(-1)).toMatch(/^Thanks, we have it/);
  });

  it("does not keep an emergency from the operator, nor the words of somebody they write with", async () => {
    const { customer, number } = await job();
    await say("PAUSE");
    await gateway.text({ from: customer, body: "There is a strong smell of gas here" });
    await say(`REPLY ${number} Open the windows, I'm coming`);
    await gateway.text({ from: customer, body: "Which one are you?" });
    await say("RESUME");
    const words = (await toldTo(world, OPERATOR, "forwarded")).map(({ body }) => body).slice(-2);
    expect(words).toEqual([
      expect.stringContaining(`${customer} wrote: "There is a strong smell of gas here"`),
      expect.stringContaining(`${customer} wrote: "Which one are you?"`),
    ]);
  });
});

it("what a customer adds to a job the operator knows of goes to the operator, once each", async () => {
  const { customer, number } = await urgentJob(world, gateway);
  await gateway.text({ from: customer, body: "It is 12 Mill Lane, BA1 5LR" });
  await say(`YES ${number}`);
  await gateway.text({ from: customer, body: "The gate code is 4471" });
  const words = (await toldTo(world, OPERATOR, "forwarded")).map(({ body }) => body).slice(-2);
  expect(words).toEqual([
    expect.stringContaining('"It is 12 Mill Lane, BA1 5LR"'),
    expect.stringContaining('"The gate code is 4471"'),
  ]);
  expect(await toldTo(world, OPERATOR, "urgent_alert")).toHaveLength(
    (await world.query(`SELECT 1 FROM "Job" WHERE "alertedAt" IS NOT NULL`)).length,
  );
});

it("an accepted job that becomes an emergency is urgent again", async () => {
  const { customer, number } = await job();
  await say(`YES ${number}`);
  await world.query(`UPDATE "Job" SET "status" = 'ACCEPTED' WHERE "number" = $1`, [number]);
  await gateway.text({ from: customer, body: "Now there is a strong smell of gas!" });
  expect(await jobOf(world, customer)).toMatchObject({ status: "URGENT", answeredAt: null });
});
