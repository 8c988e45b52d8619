import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  countPeople,
  FAILSAFE,
  newCallSid,
  recordedCalls,
  reportCall,
  SILENT_OK,
  type CallReport,
} from "./call-world.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";

const OPERATOR = "+447700900123";
const SECOND_CONTACT = "+447700900124";
const OTHER_NUMBER = "+447987654322";
const OTHER_TENANT = "019a0000-0000-7000-8000-000000000002";

let world: World;
let one: RunningGateway;
let two: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  await world.query(`UPDATE "Client" SET "secondContactPhone" = $1`, [SECOND_CONTACT]);
  await world.query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone", "locale") VALUES ($1, 'Serrures Dupont', '+33612345678', 'fr')`,
    [OTHER_TENANT],
  );
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
    [OTHER_NUMBER, OTHER_TENANT],
  );
  one = await world.startGateway();
  two = await world.startGateway();
});
afterAll(() => world.close());

const report = (given: CallReport, gateway = one) => reportCall(world, gateway, given);

describe("a missed call to a tenant", () => {
  const sid = newCallSid();

  it("is recorded with its customer and conversation, and answered by a text that names the business", async () => {
    expect(await report({ sid })).toEqual(SILENT_OK);
    const [text] = await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(text).toMatchObject({
      from: DEMO_NUMBER,
      body: expect.stringContaining("Demo Plumbing"),
    });
    expect(await settledMessagesWith(world, CUSTOMER)).toMatchObject([
      { direction: "INBOUND", kind: "call", status: "RECEIVED", body: "", providerMessageId: sid },
      { direction: "OUTBOUND", kind: "missed_call", status: "SENT", body: text?.body },
    ]);
    expect(await countPeople(world)).toMatchObject({ Customer: 1, Conversation: 1, Message: 2 });
  });

  it("carries one request id from the webhook to the text that was sent", async () => {
    await one.logged((line) => line.event === "message_sent");
    const events = one.log.filter(
      (line) => line.event !== undefined && !line.event.startsWith("alert"),
    );
    expect(events.map((line) => line.event)).toEqual([
      "missed_call",
      "message_queued",
      "missed_call_text_queued",
      "message_sent",
    ]);
    expect(new Set(events.map((line) => line["requestId"])).size).toBe(1);
    expect(events[0]).toMatchObject({ providerMessageId: sid, callStatus: "no-answer" });
  });

  it("is not in the words that the assistant is shown", async () => {
    await one.text({ body: "My tap drips", sid: "SMafter-call" });
    const [call] = await world.simulator.waitForModelCalls(1);
    const shown = JSON.stringify(call);
    expect(shown).toContain("My tap drips");
    expect(shown).not.toContain(sid);
  });

  it("is answered in the language of the business", async () => {
    const from = "+447123450001";
    await report({ from, to: OTHER_NUMBER });
    const [text] = await world.simulator.waitForSent(1, { to: from });
    expect(text).toMatchObject({
      from: OTHER_NUMBER,
      body: expect.stringMatching(/^Désolés d'avoir manqué votre appel.*Serrures Dupont/),
    });
  });

  it("does nothing while it still goes on", async () => {
    const from = "+447123450002";
    for (const status of ["queued", "initiated", "ringing", "in-progress"])
      expect(await report({ from, status })).toEqual(SILENT_OK);
    expect(await settledMessagesWith(world, from)).toEqual([]);
  });
});

describe("a caller who is not texted", () => {
  it.each([
    ["anonymous", "anonymous"],
    ["anonymous", "+266696687"],
    ["short_code", "60777"],
    ["not_a_phone", "client:anna"],
    ["own_number", OPERATOR],
    ["own_number", SECOND_CONTACT],
    ["own_number", DEMO_NUMBER],
    ["own_number", OTHER_NUMBER],
  ])(
    "(%s: %s) is no customer; the call is recorded and the reason logged",
    async (reason, from) => {
      const sid = newCallSid();
      const before = await countPeople(world);
      const sent = world.simulator.sent().length;
      expect(await report({ sid, from })).toEqual(SILENT_OK);
      expect(await report({ sid, from, status: "completed" })).toEqual(SILENT_OK);
      expect(await countPeople(world)).toEqual({
        ...before,
        Message: (before["Message"] ?? 0) + 1,
      });
      expect((await recordedCalls(world)).at(-1)).toMatchObject({
        providerMessageId: sid,
        inConversation: false,
      });
      expect(one.log).toContainEqual(
        expect.objectContaining({
          message: "a missed call gets no text",
          providerMessageId: sid,
          reason,
        }),
      );
      expect(world.simulator.sent()).toHaveLength(sent);
    },
  );

  it("has opted out: the call is in their conversation and nothing is sent", async () => {
    const from = "+447123450009";
    await one.text({ from, body: "STOP", sid: "SMstop-then-call" });
    const sid = newCallSid();
    expect(await report({ sid, from })).toEqual(SILENT_OK);
    expect(await settledMessagesWith(world, from)).toMatchObject([
      { kind: "text" },
      { kind: "call", providerMessageId: sid },
    ]);
    expect(one.log).toContainEqual(
      expect.objectContaining({ providerMessageId: sid, reason: "opted_out" }),
    );
  });
});

describe("the test call of a sign-up", () => {
  const OWNER = "+447123450020";
  const ALLOCATED = "+447987654325";

  it("ends the sign-up once, over ten reports to two processes, and is answered like a customer's", async () => {
    const tenant = "019a0000-0000-7000-8000-000000000004";
    await world.query(
      `INSERT INTO "Client" ("id", "name", "operatorPhone") VALUES ($1, 'New Locks', $2)`,
      [tenant, OWNER],
    );
    await world.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
      [ALLOCATED, tenant],
    );
    await world.query(
      `INSERT INTO "OnboardingState" ("id", "clientId", "phone", "texted", "state") VALUES ($1, $1, $2, $3, 'TEST_CALL')`,
      [tenant, OWNER, "+447700900997"],
    );
    const from = "+447123450021";
    const sid = newCallSid();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        report({ sid, from, to: ALLOCATED }, index % 2 === 0 ? one : two),
      ),
    );
    expect(answers).toEqual(answers.map(() => SILENT_OK));
    expect(await world.query(`SELECT "state" FROM "OnboardingState"`)).toEqual([
      { state: "COMPLETE" },
    ]);
    await world.simulator.waitForSent(1, { to: OWNER });
    const texts = await settledMessagesWith(world, from);
    expect(texts.map(({ kind }) => kind)).toEqual(["call", "missed_call"]);
    expect((await settledMessagesWith(world, OWNER)).length).toBe(1);
  });

  it("is followed by customers' calls, which are texted back", async () => {
    const from = "+447123450022";
    await report({ from, to: ALLOCATED });
    const [text] = await world.simulator.waitForSent(1, { to: from });
    expect(text).toMatchObject({ from: ALLOCATED, body: expect.stringContaining("New Locks") });
  });
});

describe("a missed call that cannot be recorded", () => {
  it("is texted back without the database, answered 200, and writes nothing", async () => {
    const from = "+447123450010";
    const sid = newCallSid();
    await world.query(
      `ALTER TABLE "Message" ADD CONSTRAINT refuse CHECK ("kind" <> 'missed_call') NOT VALID`,
    );
    expect(await report({ sid, from })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: from })).toMatchObject([
      { from: DEMO_NUMBER, body: FAILSAFE },
    ]);
    expect(await settledMessagesWith(world, from)).toEqual([]);
    expect(await world.query(`SELECT 1 FROM "Customer" WHERE "phone" = $1`, [from])).toEqual([]);
    const trace = one.log.filter((line) => line["providerMessageId"] === sid);
    expect(trace.map((line) => line.event)).toEqual(
      expect.arrayContaining(["transaction_failed", "system_failsafe_sent"]),
    );

    await world.query(`ALTER TABLE "Message" DROP CONSTRAINT refuse`);
    expect(await report({ sid, from, status: "completed" })).toEqual(SILENT_OK);
    expect(await settledMessagesWith(world, from)).toMatchObject([{ kind: "call" }]);
    expect(world.simulator.sent({ to: from })).toHaveLength(1);
  });

  it("is texted back once, however often it is reported", async () => {
    const impatient = await world.startGateway({ CALLER_COOLDOWN_MINUTES: "0" });
    await world.query(
      `ALTER TABLE "Message" ADD CONSTRAINT refuse CHECK ("kind" <> 'call') NOT VALID`,
    );
    const call = { sid: newCallSid(), from: "+447123450011" };
    for (const status of ["no-answer", "completed", "busy"])
      expect(await report({ ...call, status }, impatient)).toEqual(SILENT_OK);
    await world.query(`ALTER TABLE "Message" DROP CONSTRAINT refuse`);
    expect(world.simulator.sent({ to: call.from })).toHaveLength(1);
  });

  it("gets no text where the caller is one of the tenant's own people", async () => {
    await world.query(
      `ALTER TABLE "Message" ADD CONSTRAINT refuse CHECK ("kind" <> 'call') NOT VALID`,
    );
    expect(await report({ from: OPERATOR })).toEqual(SILENT_OK);
    await world.query(`ALTER TABLE "Message" DROP CONSTRAINT refuse`);
    expect(world.simulator.sent({ to: OPERATOR })).toEqual([]);
  });
});
