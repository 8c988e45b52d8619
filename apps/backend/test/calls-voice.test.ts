import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import {
  countMissedCallTexts,
  countPeople,
  metric,
  newCallSid,
  recordedCalls,
  reportCall,
  SILENT_OK,
  type CallReport,
} from "./call-world.ts";
import { createWorld, DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";

const OPERATOR = "+447700900123";
const DIAL_NUMBER = "+447987654323";
const ODD_TENANT = "019a0000-0000-7000-8000-000000000003";
const ODD_NUMBER = "+447987654324";
const SILENT_HANGUP = "<Response><Hangup/></Response>";

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId", "callHandling")
     SELECT $1, 'OPERATIONAL', "id", 'DIAL' FROM "Client"`,
    [DIAL_NUMBER],
  );
  await world.query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone", "locale") VALUES ($1, $2, '+33612345678', 'fr')`,
    [ODD_TENANT, "Müller & Söhne <24h>\u0007"],
  );
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
    [ODD_NUMBER, ODD_TENANT],
  );
  gateway = await world.startGateway();
});
afterAll(() => world.close());

const report = (given: CallReport) => reportCall(world, gateway, given);
const voice = (given: CallReport) =>
  report({ path: "/api/twilio/voice", status: "ringing", ...given });
const dialResult = (given: CallReport) =>
  report({ path: "/api/twilio/dial-result", status: "in-progress", to: DIAL_NUMBER, ...given });

describe("a call to a number with a notice", () => {
  it("is answered by the business's notice and hung up on", async () => {
    const answer = await voice({});
    expect(answer).toMatchObject({ status: 200, contentType: expect.stringContaining("text/xml") });
    expect(withoutHeader(answer.body)).toMatch(
      /^<Response><Say language="en-GB">Thank you for calling Demo Plumbing\..*<\/Say><Hangup\/><\/Response>$/,
    );
  });

  it("is spoken to in the language of the business, whatever the business is called", async () => {
    const { body } = await voice({ to: ODD_NUMBER });
    expect(body).toContain('<Say language="fr-FR">');
    expect(body).toContain("Müller &amp; Söhne &lt;24h&gt;");
    expect(body).not.toContain("\u0007");
  });

  it("is missed when it is completed: nobody but the notice was there", async () => {
    const call = { sid: newCallSid(), from: "+447123460001" };
    await voice(call);
    expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
    expect(await countMissedCallTexts(world, call.from)).toBe(1);
  });
});

describe("a call to a number that rings the operator", () => {
  it("rings them for at most 18 s, and answers only when they do", async () => {
    const { body } = await voice({ to: DIAL_NUMBER });
    expect(withoutHeader(body)).toBe(
      `<Response><Dial timeout="18" answerOnBridge="true" action="https://gateway.example.com/api/twilio/dial-result#rc=2&amp;rp=5xx,ct,rt&amp;rt=10000&amp;tt=15000" method="POST">` +
        `<Number>${OPERATOR}</Number></Dial></Response>`,
    );
  });

  it("is not missed when they took it: no row, no text", async () => {
    const call = { sid: newCallSid(), from: "+447123460002", to: DIAL_NUMBER };
    const before = await countPeople(world);
    expect(withoutHeader((await dialResult({ ...call, dialStatus: "completed" })).body)).toBe(
      SILENT_HANGUP,
    );
    expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
    expect(await countPeople(world)).toEqual(before);
  });

  it("is not missed when they took it and the dial result went elsewhere", async () => {
    const from = "+447123460003";
    expect(await report({ from, to: DIAL_NUMBER, status: "completed" })).toEqual(SILENT_OK);
    expect(await countMissedCallTexts(world, from)).toBe(0);
  });

  it.each(["no-answer", "busy", "failed", "canceled"])(
    "is missed when theirs ends as %s: texted back at once, told so, and not again when it ends",
    async (dialStatus) => {
      const call = { sid: newCallSid(), from: `+4471234601${dialStatus.length}0`, to: DIAL_NUMBER };
      await voice(call);
      const answer = await dialResult({ ...call, dialStatus });
      expect(answer).toMatchObject({
        status: 200,
        contentType: expect.stringContaining("text/xml"),
      });
      expect(answer.body).toMatch(/<Say .*Demo Plumbing.*<Hangup\/>/);
      expect(await countMissedCallTexts(world, call.from)).toBe(1);
      expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
      expect(await countMissedCallTexts(world, call.from)).toBe(1);
      expect(
        (await recordedCalls(world)).filter((row) => row.providerMessageId === call.sid),
      ).toHaveLength(1);
    },
  );

  it("is texted back at its end when neither database nor provider could at the dial result", async () => {
    const call = { sid: newCallSid(), from: "+447123460008", to: DIAL_NUMBER };
    await world.query(
      `ALTER TABLE "Message" ADD CONSTRAINT refuse CHECK ("kind" <> 'call') NOT VALID`,
    );
    // No text of an earlier test shall take one of the errors.
    await eventually(
      () => world.query(`SELECT 1 FROM "Message" WHERE "status" IN ('QUEUED', 'SENDING')`),
      (unsent) => unsent.length === 0,
    );
    world.simulator.setFaults({ twilio: { kind: "error", status: 503, code: 20503, times: 3 } });
    const answer = await dialResult({ ...call, dialStatus: "busy" });
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining("<Hangup/>") });
    expect(world.simulator.sent({ to: call.from })).toEqual([]);
    await world.query(`ALTER TABLE "Message" DROP CONSTRAINT refuse`);
    expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
    await world.simulator.waitForSent(1, { to: call.from });
    expect(await countMissedCallTexts(world, call.from)).toBe(1);
  });

  it("is missed when nobody says how theirs ended", async () => {
    const call = { sid: newCallSid(), from: "+447123460004" };
    await dialResult(call);
    expect(await countMissedCallTexts(world, call.from)).toBe(1);
  });

  it("is missed when the caller gave up while it rang, before any dial result", async () => {
    const from = "+447123460005";
    await report({ from, to: DIAL_NUMBER, status: "no-answer" });
    expect(await countMissedCallTexts(world, from)).toBe(1);
  });

  it("does not ring operators who call their own number", async () => {
    const { body } = await voice({ from: OPERATOR, to: DIAL_NUMBER });
    expect(body).not.toContain("<Dial");
    expect(body).toContain("<Hangup/>");
  });

  it("reports of the leg to the operator's phone, which is no number of ours, text nobody", async () => {
    const caller = "+447123460006";
    const leg = { ParentCallSid: newCallSid(), Direction: "outbound-dial" };
    expect(await report({ from: caller, to: OPERATOR, status: "no-answer", extra: leg })).toEqual(
      SILENT_OK,
    );
    expect(world.simulator.sent({ to: caller })).toEqual([]);
  });
});

describe("a request that Twilio did not make", () => {
  it.each(["/api/twilio/voice", "/api/twilio/status", "/api/twilio/dial-result"] as const)(
    "is refused by %s, does nothing and is counted",
    async (path) => {
      const before = await countPeople(world);
      const from = "+447123460007";
      for (const signature of [null, "forged"]) {
        const answer = await report({ path, from, signature, dialStatus: "busy" });
        expect(answer.status).toBe(403);
        expect(answer.contentType).toContain("application/json");
      }
      expect(await countPeople(world)).toEqual(before);
      expect(world.simulator.sent({ to: from })).toEqual([]);
      const counted = await metric(gateway, `jobrun_signature_failures_total{provider="twilio"}`);
      expect(counted).toBeGreaterThanOrEqual(2);
    },
  );
});

describe("a signed request that makes no sense", () => {
  it("is a 400 where only a machine reads the answer", async () => {
    expect((await report({ status: "abducted" })).status).toBe(400);
    expect((await report({ status: "" })).status).toBe(400);
    expect((await report({ to: "" })).status).toBe(400);
  });

  it("is answered politely where a caller hears the answer", async () => {
    for (const answer of [await voice({ to: "" }), await dialResult({ to: "" })]) {
      expect(answer).toMatchObject({
        status: 200,
        contentType: expect.stringContaining("text/xml"),
      });
      expect(answer.body).toMatch(/<Say .*Thank you for calling.*<Hangup\/>/);
    }
  });
});

it("no answer to Twilio is one that it would text or read out to a caller by mistake", async () => {
  for (const path of [
    "/api/twilio/voice",
    "/api/twilio/status",
    "/api/twilio/dial-result",
  ] as const) {
    const answer = await report({ path, to: DEMO_NUMBER, dialStatus: "completed" });
    expect(answer.contentType).not.toContain("text/plain");
  }
});

function withoutHeader(twiml: string): string {
  return twiml.replace(/^<\?xml[^>]*\?>/, "");
}
