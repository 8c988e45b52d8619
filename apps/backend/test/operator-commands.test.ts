import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { prepareSmsText } from "@jobrun/messaging";
import { DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";
import {
  alertsAbout,
  command,
  createOperatorWorld,
  jobOf,
  newCustomer,
  OPERATOR,
  SECOND_CONTACT,
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
beforeEach(async () => {
  world.simulator.reset();
  await world.query(`UPDATE "Job" SET "status" = 'DONE'`);
});
afterAll(() => world.close());

const say = (body: string, from: string = OPERATOR) => command(world, gateway, body, { from });
const notices = async (customer: string) =>
  (await toldTo(world, customer, "customer_notice")).map(({ body }) => body);

describe("YES", () => {
  it("takes the job, and the customer is told who is coming back to them", async () => {
    const { id, number, customer } = await urgentJob(world, gateway);
    expect(await say(`YES ${number}`)).toBe(
      `Job ${number} is yours. We told ${customer} that you are coming back to them. DONE ${number} closes it.`,
    );
    const job = await jobOf(world, customer);
    expect(job).toMatchObject({ status: "ACCEPTED", answeredAt: expect.any(Date) });
    expect(await toldTo(world, customer, "customer_notice")).toEqual([
      {
        body: "Good news: Sam from Demo Plumbing has taken your job and will get back to you shortly.",
        sender: DEMO_NUMBER,
        inConversation: true,
      },
    ]);
    await world.simulator.waitForSent(2, { to: customer });
    await gateway.logged(
      (line) => line.event === "urgent_job_acknowledged" && line["jobId"] === id,
    );
  });

  it("of the second contact is not told in the owner's name", async () => {
    const { number, customer } = await urgentJob(world, gateway);
    expect(await say(`yes ${number}`, SECOND_CONTACT)).toMatch(/is yours/);
    expect(await notices(customer)).toEqual([
      "Good news: Demo Plumbing has taken your job and will get back to you shortly.",
    ]);
  });

  it("without a number means the only urgent job", async () => {
    expect(await say("Yes")).toMatch(/^No urgent job is waiting/);
    const first = await urgentJob(world, gateway);
    expect(await say("Yes!")).toMatch(new RegExp(`^Job ${first.number} is yours`));
    expect(await say("Yes")).toMatch(/^No urgent job is waiting/);
  });

  it("without a number asks which, when several are urgent, and takes none", async () => {
    const [one, two] = [await urgentJob(world, gateway), await urgentJob(world, gateway)];
    expect(await say("YES")).toBe(
      `Which one? Urgent jobs are waiting: ${one.number}, ${two.number}. Please add the number, as in YES ${one.number}.`,
    );
    for (const { customer } of [one, two])
      expect((await jobOf(world, customer)).status).toBe("URGENT");
  });

  it("of a job that is taken, passed or closed says so, and the customer is not told again", async () => {
    const { number, customer } = await urgentJob(world, gateway);
    await say(`YES ${number}`);
    expect(await say(`YES ${number}`, SECOND_CONTACT)).toMatch(/is taken already/);
    expect(await say(`NO ${number}`, SECOND_CONTACT)).toMatch(/is taken already/);
    await say(`DONE ${number}`);
    expect(await say(`YES ${number}`)).toMatch(/is closed already/);
    expect(await notices(customer)).toHaveLength(1);

    const passed = await urgentJob(world, gateway);
    await say(`NO ${passed.number}`);
    expect(await say(`YES ${passed.number}`)).toMatch(/was passed already/);
    expect(await notices(passed.customer)).toHaveLength(1);
  });

  it("of a customer who wants no texts tells the operator to call", async () => {
    const { number, customer } = await urgentJob(world, gateway);
    await gateway.text({ from: customer, body: "STOP" });
    expect(await say(`YES ${number}`)).toBe(
      `Job ${number} is yours. ${customer} wants no texts, so please call them.`,
    );
    expect(await notices(customer)).toEqual([]);
  });
});

describe("NO", () => {
  it("passes the job: the customer is told politely, the founder is alerted until it is done", async () => {
    const { id, number, customer } = await urgentJob(world, gateway);
    expect(await say(`NO ${number}`)).toBe(
      `Job ${number} is passed. We told ${customer} that you cannot take it.`,
    );
    expect((await jobOf(world, customer)).status).toBe("DECLINED");
    expect(await notices(customer)).toEqual([
      "We're sorry, Demo Plumbing can't take this job right now. Please try somebody else, so that you are not kept waiting.",
    ]);
    await world.query(
      `UPDATE pgboss.job SET start_after = now() WHERE data->'data'->>'jobId' = $1`,
      [id],
    );
    await timersFired(world, id, 3);
    expect(await alertsAbout(world, id)).toEqual([
      {
        state: "OPEN",
        severity: "critical",
        summary: `Urgent job ${number} of a tenant was declined by its operator`,
      },
    ]);

    await say(`DONE ${number}`);
    await timersFired(world, id, 4);
    expect(await alertsAbout(world, id)).toMatchObject([{ state: "RESOLVED" }]);
  });

  it("lets the customer's next text begin another job", async () => {
    const { number, customer } = await urgentJob(world, gateway);
    await say(`NO ${number}`);
    await gateway.text({ from: customer, body: "I need a plumber tomorrow then" });
    expect(await jobOf(world, customer)).toMatchObject({
      number: number + 1,
      status: "NEEDS_INFO",
    });
  });

  it("while the assistant thinks makes that turn plan again", async () => {
    const { number, customer } = await urgentJob(world, gateway);
    world.simulator.setFaults({ modelDelayMs: 2500 });
    const before = gateway.log.length;
    const turn = gateway.text({ from: customer, body: "I need somebody here, the leak is worse" });
    await gateway.logged(
      (line) => line.event === "llm_request" && gateway.log.indexOf(line) >= before,
    );
    expect(await say(`NO ${number}`)).toMatch(/is passed/);
    expect((await turn).status).toBe(200);
    expect(await jobOf(world, customer)).toMatchObject({ number: number + 1 });
    const [declined] = await world.query(`SELECT "status" FROM "Job" WHERE "number" = $1`, [
      number,
    ]);
    expect(declined).toEqual({ status: "DECLINED" });
  });
});

describe("DONE, JOBS and what is not a command", () => {
  it("DONE closes a job and JOBS shows what is open, the urgent first", async () => {
    const plain = newCustomer();
    await gateway.text({ from: plain, body: "I need a plumber for my tap" });
    const { number: plainNumber } = await jobOf(world, plain);
    const urgent = await urgentJob(world, gateway);
    expect(await say("JOBS")).toBe(
      `Open jobs:\n${urgent.number} URGENT A pipe burst, water is coming through..., ${urgent.customer}\n` +
        `${plainNumber} I need a plumber for my tap, ${plain}`,
    );
    expect(await say(`DONE ${urgent.number}`)).toBe(`Job ${urgent.number} is closed.`);
    expect(await say(`DONE ${plainNumber}`)).toBe(`Job ${plainNumber} is closed.`);
    expect(await say("jobs")).toBe("No open jobs.");
    expect(await say(`DONE ${plainNumber}`)).toBe(`Job ${plainNumber} is closed already.`);
  });

  it("JOBS says within three segments how many more there are", async () => {
    for (let open = 0; open < 12; open += 1) await urgentJob(world, gateway);
    const list = (await say("JOBS")) ?? "";
    const shown = list.split("\n").filter((line) => line.includes("URGENT")).length;
    expect(list.endsWith(`\nand ${12 - shown} more`)).toBe(true);
    expect(shown).toBeGreaterThanOrEqual(4);
    expect(prepareSmsText(list)).toMatchObject({ text: list, segments: 3 });
  });

  it("unknown words get the help text, never the assistant, and open no conversation", async () => {
    const help = await say("I need a plumber, a pipe burst");
    expect(help).toMatch(/^You can text: YES 12/);
    expect(await say("HELP")).toBe(help);
    expect(world.simulator.modelCalls()).toEqual([]);
    expect(await world.query(`SELECT 1 FROM "Customer" WHERE "phone" = $1`, [OPERATOR])).toEqual(
      [],
    );
  });

  it("STOP and START are the provider's affair: no answer, no opt-out", async () => {
    for (const word of ["STOP", "Stop.", "START"]) expect(await say(word)).toBeNull();
    expect(await world.query(`SELECT 1 FROM "Customer" WHERE "phone" = $1`, [OPERATOR])).toEqual(
      [],
    );
    expect(await say("HELP")).not.toBeNull();
  });

  it("commands are obeyed from the operator's phone alone", async () => {
    const { number, customer } = await urgentJob(world, gateway);
    await gateway.text({ from: newCustomer(), body: `YES ${number}` });
    await gateway.text({ from: newCustomer(), body: "PAUSE" });
    expect((await jobOf(world, customer)).status).toBe("URGENT");
    const [tenant] = await world.query(`SELECT "outboundPaused" FROM "Client" LIMIT 1`);
    expect(tenant).toEqual({ outboundPaused: false });
  });

  it("a number that is no job's is answered with that", async () => {
    expect(await say("YES 99999")).toBe("There is no job 99999. JOBS shows what is open.");
  });

  it("a French tenant's operator is understood and answered in French", async () => {
    await world.query(`UPDATE "Client" SET "locale" = 'fr'`);
    const { number, customer } = await urgentJob(world, gateway);
    expect(await say(`Oui ${number}`)).toMatch(/^La demande \d+ est à vous/);
    expect(await notices(customer)).toEqual([
      "Bonne nouvelle : Sam de Demo Plumbing prend votre demande et revient vers vous très vite.",
    ]);
    expect(await say("Aide")).toMatch(/^Vous pouvez envoyer : OUI 12/);
    await world.query(`UPDATE "Client" SET "locale" = 'en'`);
  });
});
