import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import {
  createWorld,
  CUSTOMER,
  DEMO_NUMBER,
  textTo,
  type Answer,
  type RunningGateway,
  type World,
} from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";
import { spawnGateway } from "./spawn-gateway.ts";

const COPIES = 50;
const DONE = {
  status: 200,
  contentType: expect.stringContaining("text/xml"),
  body: "<Response/>",
};

let world: World;
let one: RunningGateway;
let two: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  one = await world.startGateway();
  two = await world.startGateway();
});
beforeEach(() => world.simulator.reset());
afterAll(() => world.close());

/** 50 requests at once; the model is slow enough for all of them to be in the gateways together. */
async function sendCopies(send: (copy: number) => Promise<Answer>): Promise<Answer[]> {
  world.simulator.setFaults({ modelDelayMs: 300 });
  return Promise.all(Array.from({ length: COPIES }, (_, copy) => send(copy)));
}

async function expectProcessedOnce(customer: string, sid: string) {
  const rows = await settledMessagesWith(world, customer);
  expect(rows.filter((row) => row.providerMessageId === sid)).toHaveLength(1);
  expect(rows.map((row) => row.direction)).toEqual(["INBOUND", "OUTBOUND"]);
  expect(world.simulator.sent({ to: customer })).toHaveLength(1);
}

describe("a text that comes again", () => {
  it("is acknowledged, logged as a duplicate, and neither stored nor answered again", async () => {
    expect(await one.text({ sid: "SMagain" })).toEqual(DONE);
    expect(await one.text({ sid: "SMagain" })).toEqual(DONE);

    const duplicate = await one.logged((line) => line.event === "duplicate_message_dropped");
    expect(duplicate).toMatchObject({
      message: "DUPLICATE: Message already processed",
      providerMessageId: "SMagain",
    });
    await expectProcessedOnce(CUSTOMER, "SMagain");
    expect(world.simulator.modelCalls()).toHaveLength(1);
  });

  it("50 times at once at one gateway is processed once and costs one model call", async () => {
    const customer = "+447123450001";
    const answers = await sendCopies(() => one.text({ from: customer, sid: "SMone50" }));
    expect(answers).toEqual(answers.map(() => DONE));
    await expectProcessedOnce(customer, "SMone50");
    expect(world.simulator.modelCalls()).toHaveLength(1);
  });

  it("50 times at once at two gateways on one database is processed once", async () => {
    const customer = "+447123450002";
    const answers = await sendCopies((copy) =>
      (copy % 2 === 0 ? one : two).text({ from: customer, sid: "SMtwo50" }),
    );
    expect(answers).toEqual(answers.map(() => DONE));
    await expectProcessedOnce(customer, "SMtwo50");
  });

  it("50 times at once is processed once also for a customer who is known already", async () => {
    const customer = "+447123450003";
    await one.text({ from: customer, sid: "SMknown1" });
    await world.simulator.waitForSent(1, { to: customer });
    const answers = await sendCopies((copy) =>
      (copy % 2 === 0 ? one : two).text({ from: customer, sid: "SMknown2" }),
    );
    expect(answers).toEqual(answers.map(() => DONE));
    const rows = await settledMessagesWith(world, customer);
    expect(rows.filter((row) => row.providerMessageId === "SMknown2")).toHaveLength(1);
    expect(world.simulator.sent({ to: customer })).toHaveLength(2);
  });

  it("50 times at once at two processes is processed once", async () => {
    const customer = "+447123450004";
    const other = await spawnGateway(world);
    try {
      const answers = await sendCopies((copy) =>
        textTo(world.simulator, copy % 2 === 0 ? one.url : other.url, {
          from: customer,
          sid: "SMprocess50",
        }),
      );
      expect(answers).toEqual(answers.map(() => DONE));
      await expectProcessedOnce(customer, "SMprocess50");
    } finally {
      other.process.kill("SIGTERM");
      await other.exited;
    }
  });

  it("at once at the webhook and at the fallback is stored once", async () => {
    const customer = "+447123450005";
    const answers = await sendCopies((copy) =>
      (copy % 2 === 0 ? one : two).text({
        from: customer,
        sid: "SMboth",
        path: copy % 4 < 2 ? "/sms" : "/sms/fallback",
      }),
    );
    expect(answers).toEqual(answers.map(() => DONE));
    const rows = await settledMessagesWith(world, customer);
    expect(rows.filter((row) => row.direction === "INBOUND")).toHaveLength(1);
  });

  it("is a duplicate also when its number was taken from the tenant meanwhile", async () => {
    const customer = "+447123450006";
    await one.text({ from: customer, sid: "SMmoved" });
    const role = (name: string, tenant: string | null) =>
      world.query(
        'UPDATE "TwilioNumberPool" SET "role" = $1::"NumberRole", "clientId" = $2 WHERE "phoneNumber" = $3',
        [name, tenant, DEMO_NUMBER],
      );
    await role("SYSTEM", null);
    try {
      expect(await one.text({ from: customer, sid: "SMmoved" })).toEqual(DONE);
    } finally {
      await role("OPERATIONAL", demoTenant.id);
    }
    await expectProcessedOnce(customer, "SMmoved");
    expect(await world.query('SELECT 1 FROM "UnroutedMessage"')).toEqual([]);
  });

  it("at once in two conversations belongs to one of them, and the other is not answered", async () => {
    world.simulator.setFaults({ modelDelayMs: 300 });
    const customers = ["+447123450007", "+447123450008"];
    const answers = await Promise.all(
      customers.map((from) => one.text({ from, sid: "SMtwoSenders" })),
    );
    expect(answers).toEqual([DONE, DONE]);
    const rows = await Promise.all(
      customers.map((customer) => settledMessagesWith(world, customer)),
    );
    expect(rows.flat().map((row) => row.direction)).toEqual(["INBOUND", "OUTBOUND"]);
  });
});
