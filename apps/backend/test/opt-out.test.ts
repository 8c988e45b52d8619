import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import { createWorld, type CustomerText, type RunningGateway, type World } from "./harness.ts";
import { messagesWith, settledMessagesWith } from "./rows.ts";

const OPERATOR = "+447700900123";
const BUSINESS = "Hill Street Plumbing";
const CONFIRMATION = `You will get no more texts from ${BUSINESS}. If you change your mind, reply START.`;
const WORDS = "Please stop texting me";

let world: World;
let gateway: RunningGateway;
let people = 0;

beforeAll(async () => {
  world = await createWorld();
  await world.query('UPDATE "Client" SET "name" = $1, "operatorPhone" = $2', [BUSINESS, OPERATOR]);
  gateway = await world.startGateway();
});
afterAll(() => world.close());

/** A new person, and what they can do. */
function person() {
  people += 1;
  const phone = `+4471230${String(people).padStart(5, "0")}`;
  return {
    phone,
    async texts(body: string, more: CustomerText = {}) {
      expect(await gateway.text({ body, from: phone, ...more })).toMatchObject({ status: 200 });
    },
    /** What was written to them so far, sent or not: it is stored before the webhook is answered. */
    async wasTold() {
      const rows = await messagesWith(world, phone);
      return rows.filter(({ direction }) => direction === "OUTBOUND");
    },
    async isOptedOut() {
      const [row] = await world.query<{ optedOut: boolean }>(
        'SELECT "optedOutAt" IS NOT NULL AS "optedOut" FROM "Customer" WHERE "phone" = $1',
        [phone],
      );
      return row?.optedOut;
    },
  };
}

const recordedWords = () =>
  gateway.log.filter(({ event }) => event === "opt_out_recorded").map((line) => line["keyword"]);

describe("a word that the provider acts on", () => {
  it.each([
    ["STOP", "STOP"],
    [" stop ", "STOP"],
    ["Stop.", "STOP"],
    ["STOP!!!", "STOP"],
    ["\u201Cstop\u201D", "STOP"],
    ["Stop all", "STOPALL"],
    ["stopall", "STOPALL"],
    ["Unsubscribe.", "UNSUBSCRIBE"],
    ["end", "END"],
    ["Quit!", "QUIT"],
    ["CANCEL", "CANCEL"],
    ["revoke", "REVOKE"],
    ["opt-out", "OPTOUT"],
    ["OPT OUT", "OPTOUT"],
  ])("%j opts out without an answer, and nothing is sent until START", async (body, keyword) => {
    const customer = person();
    await customer.texts(body);
    expect(recordedWords().at(-1)).toBe(keyword);
    expect(await customer.isOptedOut()).toBe(true);

    await customer.texts("Are you there?");
    expect(await customer.wasTold()).toEqual([]);

    await customer.texts("Start");
    expect(await customer.wasTold()).toEqual([]);
    await customer.texts("Can you fix a tap?");
    expect(await customer.wasTold()).toMatchObject([{ kind: "reply" }]);
  });

  it("YES is an ordinary answer, not an opt-in; UNSTOP is one", async () => {
    const customer = person();
    await customer.texts("STOP");
    await customer.texts("YES");
    expect(await customer.isOptedOut()).toBe(true);
    expect(await customer.wasTold()).toEqual([]);
    await customer.texts("unstop");
    expect(await customer.isOptedOut()).toBe(false);
  });

  it("does nothing inside a sentence", async () => {
    const customer = person();
    await customer.texts("Cancel my appointment please");
    expect(await customer.isOptedOut()).toBe(false);
    expect(await customer.wasTold()).toMatchObject([{ kind: "reply" }]);
  });
});

describe("an opt-out in the customer's own words", () => {
  it("is confirmed once, and again not even when repeated", async () => {
    const customer = person();
    await customer.texts(WORDS);
    expect(recordedWords().at(-1)).toBe("plain-language");
    expect(await customer.isOptedOut()).toBe(true);
    const [sent] = await world.simulator.waitForSent(1, { to: customer.phone });
    expect(sent?.body).toBe(CONFIRMATION);

    for (const more of ["leave me alone", WORDS, "hello?", "STOP"]) await customer.texts(more);
    expect(await customer.wasTold()).toMatchObject([
      { kind: "opt_out_confirmation", body: CONFIRMATION },
    ]);
  });

  it("ends with START", async () => {
    const customer = person();
    await customer.texts("don't text me again");
    await customer.texts("START");
    await customer.texts("Can you fix a tap?");
    expect(await customer.wasTold()).toMatchObject([
      { kind: "opt_out_confirmation" },
      { kind: "reply" },
    ]);
  });

  it("asks no assistant", async () => {
    const asked = world.simulator.modelCalls().length;
    await person().texts("Please leave me alone!");
    expect(world.simulator.modelCalls()).toHaveLength(asked);
  });

  it("is confirmed once by the fallback, without a holding text", async () => {
    const customer = person();
    await customer.texts(WORDS, { path: "/sms/fallback" });
    await eventually(
      () => messagesWith(world, customer.phone),
      (rows) => rows.some(({ status }) => status === "RECEIVED"),
    );
    expect(await customer.wasTold()).toMatchObject([{ kind: "opt_out_confirmation" }]);
  });

  it("is confirmed in the tenant's language", async () => {
    await world.query(`UPDATE "Client" SET "locale" = 'fr'`);
    const customer = person();
    await customer.texts("Ne m'\u00e9crivez plus !");
    await world.query(`UPDATE "Client" SET "locale" = 'en'`);
    expect(await customer.wasTold()).toMatchObject([{ body: expect.stringContaining("START") }]);
    expect((await customer.wasTold())[0]?.body).toMatch(/^Vous ne recevrez plus/);
  });
});

describe("a text that waits when its receiver opts out", () => {
  it("does not leave afterwards, be it new or to be tried again; the confirmation does", async () => {
    const customer = person();
    world.simulator.setFaults({ twilio: { kind: "error", status: 429, retryAfterSeconds: 11 } });
    await customer.texts("Can you fix a tap?");
    await eventually(
      customer.wasTold,
      ([reply]) => reply?.status === "QUEUED" && reply.attempts === 1,
    );
    await customer.texts("Can you also fix a sink?");
    await customer.texts(WORDS);
    await customer.texts(WORDS);
    world.simulator.setFaults({ twilio: { kind: "none" } });
    // The confirmation may have met the fault too: its next try is brought forward.
    await eventually(customer.wasTold, (told) => told.every(({ status }) => status !== "SENDING"));
    await world.query('UPDATE "Message" SET "dueAt" = now() WHERE "recipient" = $1', [
      customer.phone,
    ]);

    const rows = await settledMessagesWith(world, customer.phone);
    const told = rows.filter(({ direction }) => direction === "OUTBOUND");
    expect(told).toMatchObject([
      { kind: "reply", status: "FAILED", errorCode: "opted-out" },
      { kind: "reply", status: "FAILED", errorCode: "opted-out" },
      { kind: "opt_out_confirmation", status: "SENT" },
    ]);
    expect(world.simulator.sent({ to: customer.phone })).toHaveLength(1);
  });

  it("does not leave when it is queued again later", async () => {
    const customer = person();
    await customer.texts("Can you fix a tap?");
    await settledMessagesWith(world, customer.phone);
    await customer.texts("STOP");
    // As after a provider's outage, or a replay by a person.
    await world.query(
      `UPDATE "Message" SET "status" = 'QUEUED', "providerMessageId" = NULL WHERE "recipient" = $1 AND "direction" = 'OUTBOUND'`,
      [customer.phone],
    );
    const [, reply] = await settledMessagesWith(world, customer.phone);
    expect(reply).toMatchObject({ status: "FAILED", errorCode: "opted-out" });
    expect(world.simulator.sent({ to: customer.phone })).toHaveLength(1);
  });
});

describe("a customer who has opted out", () => {
  const GAS = "There is a strong smell of gas at 12 High Street";
  const alertsAbout = async (phone: string) =>
    (await messagesWith(world, OPERATOR)).filter(({ body }) => body.includes(phone));

  it("still reaches the operator with an urgent job, and is told nothing", async () => {
    const customer = person();
    await customer.texts("STOP");
    await customer.texts(GAS);
    expect(await alertsAbout(customer.phone)).toMatchObject([{ kind: "urgent_alert" }]);
    expect(await customer.wasTold()).toEqual([]);
  });

  it("does so too with the text that opts out", async () => {
    const customer = person();
    await customer.texts(`${WORDS}. ${GAS}!`);
    expect(await alertsAbout(customer.phone)).toMatchObject([{ kind: "urgent_alert" }]);
    expect(await customer.wasTold()).toMatchObject([{ kind: "opt_out_confirmation" }]);
  });

  it("gets no deflection while the tenant is paused, and no holding text from the fallback", async () => {
    const customer = person();
    await customer.texts("STOP");
    await world.query('UPDATE "Client" SET "outboundPaused" = true');
    await customer.texts("Hello?");
    await world.query('UPDATE "Client" SET "outboundPaused" = false');
    await customer.texts("Anyone?", { path: "/sms/fallback" });
    await eventually(
      () => messagesWith(world, customer.phone),
      (rows) => rows.every(({ status }) => status === "RECEIVED"),
    );
    expect(await customer.wasTold()).toEqual([]);
  });
});
