import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  countPeople,
  FAILSAFE,
  metric,
  newCallSid,
  NOBODYS_NUMBER,
  reportCall,
  SILENT_OK,
  type CallReport,
} from "./call-world.ts";
import { eventually } from "./eventually.ts";
import { createWorld, DEMO_NUMBER, post, type RunningGateway, type World } from "./harness.ts";

const CALLER = "+447911123456";
const POOLED_NUMBER = "+447700900998";
const SIGN_UP_NUMBER = "+447700900997";
const INTAKE = "jobrun_voice_system_failsafe_intake_total";
/** Only the demo tenant; and no person of any kind. */
const NOBODY = {
  Client: 1,
  Customer: 0,
  Conversation: 0,
  OnboardingState: 0,
  Message: 0,
  UnroutedMessage: 0,
};

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role") VALUES ($1, 'SYSTEM'), ($2, 'ONBOARDING')`,
    [POOLED_NUMBER, SIGN_UP_NUMBER],
  );
  gateway = await world.startGateway();
});
afterAll(() => world.close());

const report = (given: CallReport) => reportCall(world, gateway, { to: NOBODYS_NUMBER, ...given });

describe("a missed call to a number that belongs to nobody", () => {
  it("is answered by the generic text exactly once, from the called number, and makes no row", async () => {
    expect(await report({ from: CALLER, extra: { CallDuration: "0" } })).toEqual(SILENT_OK);
    expect(world.simulator.sent()).toMatchObject([
      { from: NOBODYS_NUMBER, to: CALLER, body: FAILSAFE },
    ]);
    expect(world.simulator.sent()[0]?.body).not.toContain("Demo Plumbing");
    expect(await countPeople(world)).toEqual(NOBODY);
    expect(world.simulator.modelCalls()).toEqual([]);
  });

  it("is counted, and the founder's people are told what to do", async () => {
    expect(await metric(gateway, `${INTAKE}{isKnown="false",callStatus="no-answer"}`)).toBe(1);
    const messages = gateway.log.map((line) => line.message);
    expect(messages).toContain("SYSTEM NUMBER CALL DETECTED - ACTIVATING FAIL-SAFE");
    expect(messages).toContainEqual(
      expect.stringMatching(
        /SYSTEM FAILSAFE.*ACTION REQUIRED: Assign this number.*TwilioNumberPool/,
      ),
    );
    await eventually(
      () => world.query(`SELECT 1 FROM "Alert" WHERE "type" = 'SYSTEM_NUMBER_CALLED'`),
      (rows) => rows.length === 1,
    );
  });

  it("carries one request id from the webhook to the text that was sent", () => {
    const [detected] = gateway.log.filter((line) => line.message.startsWith("SYSTEM NUMBER CALL"));
    const sent = gateway.log.filter((line) => line.event === "system_failsafe_sent");
    expect(sent).toEqual([
      expect.objectContaining({
        requestId: detected?.["requestId"],
        callStatus: "no-answer",
        isKnown: false,
      }),
    ]);
  });

  it("shows the caller's number in no log line", () => {
    expect(JSON.stringify(gateway.log)).not.toContain(CALLER.slice(4));
  });

  it("never begins a sign-up, also when the spoken notice has answered it", async () => {
    await report({ from: "+447911999888" });
    await report({ from: "+447911999777", status: "completed", extra: { CallDuration: "0" } });
    for (const to of ["+447911999888", "+447911999777"])
      expect(world.simulator.sent({ to })).toMatchObject([{ body: FAILSAFE }]);
    expect(await countPeople(world)).toEqual(NOBODY);
  });

  it.each([
    ["no-answer", "+447911000001"],
    ["busy", "+447911000002"],
    ["failed", "+447911000003"],
    ["canceled", "+447911000004"],
    ["completed", "+447911000005"],
  ])("that ended as %s is never met with silence", async (status, from) => {
    expect(await report({ from, status })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: from })).toHaveLength(1);
  });

  it("is known as ours in the metric when it is in the pool", async () => {
    await report({ from: "+447911888001", to: POOLED_NUMBER, status: "busy" });
    expect(world.simulator.sent({ to: "+447911888001" })).toMatchObject([{ from: POOLED_NUMBER }]);
    expect(await metric(gateway, `${INTAKE}{isKnown="true",callStatus="busy"}`)).toBe(1);
  });
});

describe("one text", () => {
  it("per call, however often and in whatever order its ends are reported", async () => {
    const sid = newCallSid();
    const from = "+447911777001";
    const statuses = [
      "completed",
      "ringing",
      "busy",
      "in-progress",
      "no-answer",
      "canceled",
      "failed",
    ];
    await Promise.all([...statuses, ...statuses].map((status) => report({ sid, from, status })));
    expect(world.simulator.sent({ to: from })).toHaveLength(1);
  });

  it("per caller within the cooldown, over ten calls at once", async () => {
    const from = "+447911777002";
    const answers = await Promise.all(Array.from({ length: 10 }, () => report({ from })));
    expect(answers).toEqual(answers.map(() => SILENT_OK));
    expect(world.simulator.sent({ to: from })).toHaveLength(1);
  });

  it("per caller again after the cooldown", async () => {
    const impatient = await world.startGateway({ CALLER_COOLDOWN_MINUTES: "0" });
    const from = "+447911777003";
    for (const _ of [1, 2]) await reportCall(world, impatient, { from, to: NOBODYS_NUMBER });
    expect(world.simulator.sent({ to: from })).toHaveLength(2);
  });

  it("none while the call goes on", async () => {
    const from = "+447911777004";
    for (const status of ["queued", "initiated", "ringing", "in-progress"])
      expect(await report({ from, status })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: from })).toEqual([]);
  });
});

it("callers who cannot be texted get none, with a logged reason", async () => {
  const before = world.simulator.sent().length;
  const callers = { anonymous: "anonymous", short_code: "60777", not_a_phone: "client:anna" };
  for (const [reason, from] of [
    ...Object.entries(callers),
    ["own_number", NOBODYS_NUMBER],
    ["own_number", DEMO_NUMBER],
  ] as const) {
    gateway.log.length = 0;
    expect(await report({ from })).toEqual(SILENT_OK);
    expect(gateway.log).toContainEqual(
      expect.objectContaining({ message: "a missed call gets no text", reason }),
    );
  }
  expect(world.simulator.sent()).toHaveLength(before);
});

it("the fail-safe's own number is the sender where there is one", async () => {
  const other = await world.startGateway({ SYSTEM_FAILSAFE_SMS_NUMBER: POOLED_NUMBER });
  await reportCall(world, other, { from: "+447911666001", to: NOBODYS_NUMBER });
  expect(world.simulator.sent({ to: "+447911666001" })).toMatchObject([{ from: POOLED_NUMBER }]);
});

it("a refused, then accepted text is tried again at once and sent once", async () => {
  const from = "+447911666002";
  world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503, times: 1 } });
  expect(await report({ from })).toEqual(SILENT_OK);
  expect(world.simulator.sent({ to: from })).toHaveLength(1);
  expect(gateway.log.map((line) => line.message)).toContain("SMS send failed (attempt 1/3)");
});

it("a text that may have been sent is not sent again", async () => {
  const from = "+447911666003";
  const sid = newCallSid();
  world.simulator.setFaults({ twilio: { kind: "accept-then-reset", times: 1 } });
  expect(await report({ from, sid })).toEqual(SILENT_OK);
  expect(await report({ from, sid, status: "completed" })).toEqual(SILENT_OK);
  expect(world.simulator.sent({ to: from })).toHaveLength(1);
});

it("while the provider takes no text the report is refused, and its repetition texts the caller", async () => {
  const from = "+447911666004";
  const sid = newCallSid();
  world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503, times: 3 } });
  expect((await report({ from, sid })).status).toBe(500);
  expect(await report({ from, sid })).toEqual(SILENT_OK);
  expect(world.simulator.sent({ to: from })).toHaveLength(1);
});

it("an OPERATIONAL number that lost its tenant still answers its callers, and the founder is alerted", async () => {
  await world.query(
    `ALTER TABLE "TwilioNumberPool" DROP CONSTRAINT "TwilioNumberPool_operational_has_tenant"`,
  );
  const orphan = "+447700900996";
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role") VALUES ($1, 'OPERATIONAL')`,
    [orphan],
  );
  const from = "+447911666005";
  expect(await report({ from, to: orphan })).toEqual(SILENT_OK);
  expect(world.simulator.sent({ to: from })).toMatchObject([{ from: orphan, body: FAILSAFE }]);
  await eventually(
    () => world.query(`SELECT 1 FROM "Alert" WHERE "type" = 'INVARIANT_VIOLATION'`),
    (rows) => rows.length === 1,
  );
});

it("a call to a sign-up number is told to text, counted, and begins nothing", async () => {
  const call = { from: "+447911555001", to: SIGN_UP_NUMBER };
  const voice = await report({ ...call, path: "/api/twilio/voice", status: "ringing" });
  expect(voice.body).toContain("please send a text message to this number");
  expect(voice.body).toContain("<Hangup/>");
  expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
  expect(world.simulator.sent({ to: call.from })).toEqual([]);
  expect(await countPeople(world)).toEqual(NOBODY);
  expect(
    await metric(gateway, `jobrun_webhooks_total{channel="voice",outcome="onboarding"}`),
  ).toBeGreaterThan(0);
});

it("an unsigned report without a call's id, as by curl on a new machine, is taken too", async () => {
  const open = await world.startGateway({ WEBHOOK_SIGNATURES: "off" });
  const from = "+447911444001";
  const form = `From=%2B447911444001&To=%2B447700900999&CallStatus=no-answer&CallDuration=0`;
  expect(await post(`${open.url}/api/twilio/status`, form)).toEqual(SILENT_OK);
  expect(world.simulator.sent({ to: from })).toMatchObject([{ body: FAILSAFE }]);
});
