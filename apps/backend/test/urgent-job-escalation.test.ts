import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { eventually } from "./eventually.ts";
import { textTo, type RunningGateway, type World } from "./harness.ts";
import {
  alertsAbout,
  command,
  createOperatorWorld,
  jobOf,
  newCustomer,
  OPERATOR,
  SECOND_CONTACT,
  timersFired,
  urgentJob,
  URGENT_WORDS,
  type JobRow,
} from "./operator-world.ts";
import { spawnGateway, type SpawnedGateway } from "./spawn-gateway.ts";

/** 5 and 15 minutes take seconds here. */
const SOON = { URGENT_SECOND_TEXT_MINUTES: "0.02", URGENT_FOUNDER_MINUTES: "0.05" };

let world: World;
const gateways: RunningGateway[] = [];
const processes: SpawnedGateway[] = [];

beforeAll(async () => {
  world = await createOperatorWorld();
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop();
  for (const { process } of processes.splice(0)) process.kill("SIGKILL");
});
afterAll(() => world.close());

async function start(): Promise<RunningGateway> {
  const gateway = await world.startGateway(SOON);
  gateways.push(gateway);
  return gateway;
}

async function startProcess(): Promise<SpawnedGateway> {
  const gateway = await spawnGateway(world, SOON);
  processes.push(gateway);
  return gateway;
}

/** Alerts about one job, by who got them. */
async function alerted(job: JobRow): Promise<{ recipient: string; body: string }[]> {
  const texts = await world.query<{ recipient: string; body: string }>(
    `SELECT "recipient", "body" FROM "Message" WHERE "kind" = 'urgent_alert' ORDER BY "position"`,
  );
  return texts.filter(({ body }) => body.includes(`URGENT job ${job.number} from `));
}

/** Everything that is done when nobody answers, once, and not again when every timer fires again. */
async function expectEscalatedOnce(job: JobRow): Promise<void> {
  const recipients = [OPERATOR, OPERATOR, SECOND_CONTACT];
  const ofFounder = [
    {
      state: "OPEN",
      severity: "critical",
      summary: `Nobody answered urgent job ${job.number} of a tenant`,
    },
  ];
  for (let again = 0; again < 2; again += 1) {
    await timersFired(world, job.id, 2);
    expect((await alerted(job)).map(({ recipient }) => recipient)).toEqual(recipients);
    expect(await alertsAbout(world, job.id)).toEqual(ofFounder);
    const [occurrences] = await world.query(`SELECT "occurrences" FROM "Alert" WHERE "key" = $1`, [
      `URGENT_JOB_UNANSWERED:${job.id}`,
    ]);
    expect(occurrences).toEqual({ occurrences: 1 });
    await world.query(
      `UPDATE pgboss.job SET "state" = 'created', "completed_on" = NULL WHERE "data"->'data'->>'jobId' = $1`,
      [job.id],
    );
  }
}

describe("an urgent job that nobody answers", () => {
  it("is texted again, and to the second contact, then the founder is alerted: each once", async () => {
    const gateway = await start();
    await start();
    const job = await urgentJob(world, gateway);
    await expectEscalatedOnce(job);

    const words = `URGENT job ${job.number} from ${job.customer}: "${URGENT_WORDS}"`;
    const how = `Reply YES ${job.number} to take it, NO ${job.number} to pass.`;
    expect((await alerted(job)).map(({ body }) => body)).toEqual([
      `${words} ${how}`,
      `STILL WAITING: ${words} ${how}`,
      `${words} ${how}`,
    ]);
    await gateway.logged((line) => line.event === "urgent_job_alerted" && line["jobId"] === job.id);
    const row = await jobOf(world, job.customer);
    expect(row).toMatchObject({ secondTextAt: expect.any(Date), founderToldAt: expect.any(Date) });
  });

  it("so it is also when the process is killed before the second text", async () => {
    const killed = await startProcess();
    const customer = newCustomer();
    await textTo(world.simulator, killed.url, { from: customer, body: URGENT_WORDS });
    killed.process.kill("SIGKILL");
    await killed.exited;
    const job = await jobOf(world, customer);
    expect(job).toMatchObject({ secondTextAt: null, founderToldAt: null });

    await start();
    await expectEscalatedOnce(job);
  });

  it("so it is also when the process is killed between the second text and the founder's alert", async () => {
    const killed = await startProcess();
    const customer = newCustomer();
    await textTo(world.simulator, killed.url, { from: customer, body: URGENT_WORDS });
    const job = await eventually(
      () => jobOf(world, customer),
      ({ secondTextAt }) => secondTextAt !== null,
    );
    killed.process.kill("SIGKILL");
    await killed.exited;
    // The server may still be ending the last statement of a process that is gone.
    await eventually(
      () =>
        world.query(
          `SELECT 1 FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'jobrun timers'`,
        ),
      (sessions) => sessions.length === 0,
    );
    expect(await alertsAbout(world, job.id)).toEqual([]);

    // The minute passes after which a killed process's timers are another's.
    await world.query(
      `UPDATE pgboss.job SET started_on = started_on - interval '61 seconds' WHERE state = 'active'`,
    );
    await world.query("UPDATE pgboss.queue SET monitor_claim_on = NULL, monitor_on = NULL");
    await start();
    await expectEscalatedOnce(job);
  });

  it("is not texted twice to an operator who is their own second contact", async () => {
    const set = `UPDATE "Client" SET "secondContactPhone" = $2 WHERE "id" = $1`;
    await world.query(set, [demoTenant.id, OPERATOR]);
    const job = await urgentJob(world, await start());
    await timersFired(world, job.id, 2);
    expect(await alerted(job)).toHaveLength(2);
    await world.query(set, [demoTenant.id, SECOND_CONTACT]);
  });

  it("ends the founder's alert when somebody takes it after all", async () => {
    const gateway = await start();
    const job = await urgentJob(world, gateway);
    await timersFired(world, job.id, 2);
    expect(await alertsAbout(world, job.id)).toMatchObject([{ state: "OPEN" }]);
    const answer = await command(world, gateway, `YES ${job.number}`, { from: SECOND_CONTACT });
    expect(answer).toMatch(/is yours/);
    await timersFired(world, job.id, 3);
    expect(await alertsAbout(world, job.id)).toMatchObject([{ state: "RESOLVED" }]);
  });

  it("is news to the founder again when it is then declined", async () => {
    const gateway = await start();
    const job = await urgentJob(world, gateway);
    await timersFired(world, job.id, 2);
    await command(world, gateway, `NO ${job.number}`);
    await timersFired(world, job.id, 3);
    expect(await alertsAbout(world, job.id)).toMatchObject([
      {
        state: "OPEN",
        summary: `Urgent job ${job.number} of a tenant was declined by its operator`,
      },
    ]);
  });
});

describe("an urgent job that was answered in time", () => {
  it.each(["YES", "DONE"])("with %s is not escalated", async (word) => {
    const gateway = await start();
    const job = await urgentJob(world, gateway);
    await command(world, gateway, `${word} ${job.number}`);
    await timersFired(world, job.id, 2);
    expect(await alerted(job)).toHaveLength(1);
    expect(await alertsAbout(world, job.id)).toEqual([]);
    expect(await jobOf(world, job.customer)).toMatchObject({
      secondTextAt: null,
      founderToldAt: null,
    });
  });

  it("with NO is not texted again, and the founder hears that it was declined", async () => {
    const gateway = await start();
    const job = await urgentJob(world, gateway);
    await command(world, gateway, `NO ${job.number}`);
    await timersFired(world, job.id, 3);
    expect(await alerted(job)).toHaveLength(1);
    expect(await alertsAbout(world, job.id)).toMatchObject([
      {
        state: "OPEN",
        summary: `Urgent job ${job.number} of a tenant was declined by its operator`,
      },
    ]);
  });
});
