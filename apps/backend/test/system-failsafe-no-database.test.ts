import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import pg from "pg";
import {
  countMissedCallTexts,
  FAILSAFE,
  metric,
  newCallSid,
  NOBODYS_NUMBER,
  recordedCalls,
  reportCall,
  SILENT_OK,
  type CallReport,
} from "./call-world.ts";
import { DatabaseDoor } from "./database-door.ts";
import { createWorld, DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";

const INTAKE = `jobrun_voice_system_failsafe_intake_total{isKnown="false",callStatus="no-answer"}`;

let world: World;
let gateway: RunningGateway;

const report = (given: CallReport) => reportCall(world, gateway, given);

function itTextsCallersAllTheSame(): void {
  it.each([
    ["nobody's number", NOBODYS_NUMBER, "+447911123401"],
    ["a tenant's number", DEMO_NUMBER, "+447911123402"],
  ])("a missed call to %s is answered 200 and texted back once", async (_whose, to, from) => {
    const counted = await metric(gateway, INTAKE);
    const sid = newCallSid();
    expect(await report({ sid, from, to })).toEqual(SILENT_OK);
    expect(await report({ sid, from, to })).toEqual(SILENT_OK);
    expect(await report({ from, to })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: from })).toMatchObject([{ from: to, body: FAILSAFE }]);
    // Two calls, of which the first was reported twice.
    expect(await metric(gateway, INTAKE)).toBe(counted + 2);
    expect(gateway.log.map((line) => line.message)).toContain(
      "SYSTEM NUMBER CALL DETECTED - ACTIVATING FAIL-SAFE",
    );
  });

  it("a caller hears a polite notice", async () => {
    const voice = await report({ path: "/api/twilio/voice", status: "ringing" });
    expect(voice).toMatchObject({ status: 200, contentType: expect.stringContaining("text/xml") });
    expect(voice.body).toMatch(
      /<Say .*Thank you for calling\. Nobody can take your call.*<Hangup\/>/,
    );
  });

  it("a call that the operator did not take is texted back, and the caller hears a notice", async () => {
    const from = "+447911123403";
    const dialled = { sid: newCallSid(), from, status: "in-progress", dialStatus: "busy" };
    const answer = await report({ ...dialled, path: "/api/twilio/dial-result" });
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining("<Hangup/>") });
    expect(world.simulator.sent({ to: from })).toMatchObject([{ body: FAILSAFE }]);
  });

  it("a call that the operator took is no missed one when it ends", async () => {
    const call = { sid: newCallSid(), from: "+447911123404" };
    await report({ ...call, path: "/api/twilio/dial-result", dialStatus: "completed" });
    expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: call.from })).toEqual([]);
  });

  it("the founder is told, as soon as somebody can be", async () => {
    const health = await (await fetch(`${gateway.url}/health`)).json();
    expect(JSON.stringify(health)).toContain("SYSTEM_NUMBER_CALLED");
  });
}

describe("with the database stopped", () => {
  let door: DatabaseDoor;
  beforeAll(async () => {
    world = await createWorld();
    door = await DatabaseDoor.before(world);
    gateway = await world.startGateway({ DATABASE_URL: door.url });
    await world.query(`UPDATE "TwilioNumberPool" SET "callHandling" = 'DIAL'`);
    await door.shut();
  });
  afterAll(async () => {
    await world.close();
    await door.shut();
  });

  itTextsCallersAllTheSame();

  it("a call that was answered by the notice is missed also when the database is back at its end", async () => {
    const call = { sid: newCallSid(), from: "+447911123405" };
    await report({ ...call, path: "/api/twilio/voice", status: "ringing" });
    await door.open();
    expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
    expect(await countMissedCallTexts(world, call.from)).toBe(1);
  });

  it("a call that the fail-safe answered is recorded when the database is back, and gets no second text", async () => {
    const from = "+447911123406";
    const sid = newCallSid();
    await door.shut();
    await report({ sid, from, status: "busy" });
    await door.open();
    expect(await report({ sid, from, status: "canceled" })).toEqual(SILENT_OK);
    expect(await recordedCalls(world)).toContainEqual(
      expect.objectContaining({ providerMessageId: sid }),
    );
    expect(await countMissedCallTexts(world, from)).toBe(0);
    expect(world.simulator.sent({ to: from })).toMatchObject([{ body: FAILSAFE }]);
  });

  it("a call that was texted back before it stopped gets no second text", async () => {
    const from = "+447911123407";
    const sid = newCallSid();
    await report({ sid, from });
    await world.simulator.waitForSent(1, { to: from });
    await door.shut();
    expect(await report({ sid, from, status: "canceled" })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: from })).toHaveLength(1);
  });
});

describe("with the tables absent", () => {
  beforeAll(async () => {
    world = await createWorld();
    gateway = await world.startGateway();
    await dropTables();
  });
  afterAll(() => world.close());

  itTextsCallersAllTheSame();
});

describe("with every table absent but those that say whose a number is", () => {
  beforeAll(async () => {
    world = await createWorld();
    gateway = await world.startGateway();
    await dropTables("TwilioNumberPool", "Client");
  });
  afterAll(() => world.close());

  it("a missed call to nobody's number is texted back: the fail-safe reads and writes nothing", async () => {
    const from = "+447911123408";
    expect(await report({ from, to: NOBODYS_NUMBER })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: from })).toMatchObject([{ body: FAILSAFE }]);
  });

  it("a missed call to a tenant's number is texted back from that number", async () => {
    const from = "+447911123409";
    expect(await report({ from })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: from })).toMatchObject([
      { from: DEMO_NUMBER, body: FAILSAFE },
    ]);
  });
});

describe("with a database that takes questions and does not answer", () => {
  let holder: pg.Client;
  beforeAll(async () => {
    world = await createWorld();
    gateway = await world.startGateway({ DATABASE_QUERY_TIMEOUT_MS: "60000" });
    holder = new pg.Client({ connectionString: world.database.url });
    await holder.connect();
    await holder.query(`BEGIN; LOCK TABLE "TwilioNumberPool" IN ACCESS EXCLUSIVE MODE`);
  });
  afterAll(async () => {
    await holder.end();
    await world.close();
  });

  it("a caller hears the notice, and is texted back, within the time that Twilio waits", async () => {
    const call = { sid: newCallSid(), from: "+447911123410" };
    const voice = await report({ ...call, path: "/api/twilio/voice", status: "ringing" });
    expect(voice.body).toMatch(/<Say .*Thank you for calling.*<Hangup\/>/);
    expect(await report({ ...call, status: "completed" })).toEqual(SILENT_OK);
    expect(world.simulator.sent({ to: call.from })).toMatchObject([{ body: FAILSAFE }]);
  }, 15_000);
});

async function dropTables(...kept: string[]): Promise<void> {
  const tables = await world.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND NOT tablename = ANY($1)`,
    [kept],
  );
  for (const { name } of tables) await world.query(`DROP TABLE "${name}" CASCADE`);
}
