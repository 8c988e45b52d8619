import { spawn } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from "@jest/globals";
import { createDatabase, type Database } from "@jobrun/db";
import { twilioNumbers, type ProviderNumbers } from "@jobrun/messaging";
import { AlertService } from "../src/alerts/alert-service.ts";
import { compareNumbers, expectedWebhooks, provisionNumbers } from "../src/numbers/provision.ts";
import { WebhookCheck } from "../src/numbers/webhook-check.ts";
import { createEvents } from "../src/telemetry/events.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { eventually } from "./eventually.ts";
import { createWorld, DEMO_NUMBER, type World } from "./harness.ts";

const BASE = "https://gateway.example.com";
const OVERRIDES = "#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000";
const SECOND = "+447700900001";
const ELSEWHERE = "https://old.example.com/sms";
const APPLICATION = "AP0123456789abcdef0123456789abcdef";
const right = expectedWebhooks(BASE);

let world: World;
let db: Database;
let numbers: ProviderNumbers;
const signal = new AbortController().signal;

beforeAll(async () => {
  world = await createWorld();
  const { simulator, database } = world;
  numbers = twilioNumbers({
    accountSid: simulator.accountSid,
    authTokens: [simulator.authToken],
    apiBaseUrl: simulator.twilioUrl,
  });
  db = createDatabase({
    url: database.url,
    poolSize: 4,
    queryTimeoutMs: 5_000,
    transactionTimeoutMs: 10_000,
    onQueryTimeout: () => {},
  });
});

afterAll(async () => {
  await db.close();
  await world.close();
});

beforeEach(async () => {
  await pool(DEMO_NUMBER);
  world.simulator.addNumber(DEMO_NUMBER, right);
  world.simulator.addNumber(SECOND, right);
  await world.query(`DELETE FROM "Alert"`);
});

/** Makes these the numbers of the pool. */
async function pool(...phoneNumbers: string[]): Promise<void> {
  await world.query(`DELETE FROM "TwilioNumberPool"`);
  for (const phoneNumber of phoneNumbers)
    await world.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role") VALUES ($1, 'SYSTEM')`,
      [phoneNumber],
    );
}

const atTwilio = (phoneNumber: string) =>
  world.simulator.numbers().find((number) => number.phoneNumber === phoneNumber);
const compare = () => compareNumbers(db, numbers, BASE, signal);
const provision = (by = numbers) => provisionNumbers(db, by, BASE, signal);

describe("a number's webhooks", () => {
  it("all carry the overrides without which Twilio would not try again after a 500", () => {
    expect(right).toEqual({
      smsUrl: `${BASE}/sms${OVERRIDES}`,
      smsMethod: "POST",
      smsFallbackUrl: `${BASE}/sms/fallback${OVERRIDES}`,
      smsFallbackMethod: "POST",
      voiceUrl: `${BASE}/api/twilio/voice${OVERRIDES}`,
      voiceMethod: "POST",
      statusCallback: `${BASE}/api/twilio/status${OVERRIDES}`,
      statusCallbackMethod: "POST",
      smsApplicationSid: "",
      voiceApplicationSid: "",
    });
  });

  it("are the same with a slash at the end of PUBLIC_BASE_URL", () => {
    expect(expectedWebhooks(`${BASE}/`)).toEqual(right);
  });
});

describe("comparing", () => {
  it("names what differs and changes nothing", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE, voiceMethod: "GET" });
    expect(await compare()).toEqual([
      {
        phoneNumber: DEMO_NUMBER,
        state: "differs",
        sid: atTwilio(DEMO_NUMBER)?.sid,
        before: { ...right, smsUrl: ELSEWHERE, voiceMethod: "GET" },
        differences: ["smsUrl", "voiceMethod"],
      },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject({ smsUrl: ELSEWHERE, voiceMethod: "GET" });
  });

  it("takes a URL without the overrides for a difference", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: `${BASE}/sms` });
    expect(await compare()).toMatchObject([{ state: "differs", differences: ["smsUrl"] }]);
  });

  it("says of a number that the account does not have that it is missing", async () => {
    await pool(DEMO_NUMBER, "+447700900999");
    expect(await compare()).toMatchObject([
      { phoneNumber: "+447700900999", state: "missing", sid: null, before: null },
      { phoneNumber: DEMO_NUMBER, state: "ok", differences: [] },
    ]);
  });

  it("leaves numbers of the account that are not in the pool out of it", async () => {
    world.simulator.addNumber(SECOND, { smsUrl: ELSEWHERE });
    expect(await compare()).toMatchObject([{ phoneNumber: DEMO_NUMBER, state: "ok" }]);
    await provision();
    expect(atTwilio(SECOND)).toMatchObject({ smsUrl: ELSEWHERE });
  });
});

describe("provisioning", () => {
  it("sets everything, and a second run finds nothing to do", async () => {
    const unset = { smsUrl: "", smsFallbackUrl: "", voiceUrl: "", statusCallback: "" };
    world.simulator.addNumber(DEMO_NUMBER, unset);
    expect(await provision()).toMatchObject([
      { phoneNumber: DEMO_NUMBER, outcome: "updated", before: unset, after: right },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);
    expect(await provision()).toMatchObject([{ phoneNumber: DEMO_NUMBER, outcome: "unchanged" }]);
  });

  it("takes away an application, which Twilio would ask instead of the number's own URLs", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsApplicationSid: APPLICATION });
    expect(await provision()).toMatchObject([
      { outcome: "updated", differences: ["smsApplicationSid"] },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);
  });

  it("goes on with the other numbers when one fails", async () => {
    await pool(DEMO_NUMBER, SECOND);
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE });
    world.simulator.addNumber(SECOND, { smsUrl: ELSEWHERE });
    const stubborn: ProviderNumbers = {
      ...numbers,
      update: (sid, ...rest) =>
        sid === atTwilio(SECOND)?.sid
          ? Promise.reject(new Error("Twilio is busy"))
          : numbers.update(sid, ...rest),
    };
    expect(await provision(stubborn)).toMatchObject([
      { phoneNumber: SECOND, outcome: "failed", reason: "Twilio is busy" },
      { phoneNumber: DEMO_NUMBER, outcome: "updated" },
    ]);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);
  });

  it("does not believe that a number is set when Twilio's answer shows another value", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE });
    const deaf: ProviderNumbers = {
      ...numbers,
      update: async (sid, changes, limit) =>
        numbers.update(sid, { ...changes, smsUrl: ELSEWHERE }, limit),
    };
    expect(await provision(deaf)).toMatchObject([
      { outcome: "failed", reason: "Twilio did not take smsUrl" },
    ]);
  });
});

describe("a running gateway", () => {
  const MINUTE_MS = 60_000;
  let check: WebhookCheck;
  let log: string;

  /** Only the pauses between two looks are under the test's control; the database has its own time. */
  beforeEach(() => {
    jest.useFakeTimers({
      doNotFake: [
        "clearImmediate",
        "Date",
        "hrtime",
        "nextTick",
        "performance",
        "queueMicrotask",
        "setImmediate",
        "setInterval",
        "clearInterval",
      ],
    });
  });
  afterEach(async () => {
    await check.stop();
    jest.useRealTimers();
  });

  function start(by: ProviderNumbers = numbers): void {
    log = "";
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        log += String(chunk);
        done();
      },
    });
    const logger = createLogger({ level: "info", pretty: false, stream });
    const alerts = new AlertService({
      db,
      logger,
      events: createEvents({ logger, strict: true }),
      metrics: createMetrics(),
      config: {
        disabled: false,
        founderPhone: null,
        opsNumber: null,
        webhookUrl: null,
        pagerDuty: null,
      },
    });
    check = new WebhookCheck({ db, numbers: by, publicBaseUrl: BASE, alerts, logger });
    check.start();
  }
  const becomes = (state: string) =>
    eventually(
      async () => check.state(),
      (value) => value === state,
    );
  const incidents = () =>
    world.query<{ type: string; state: string; summary: string }>(
      `SELECT type, state::text, summary FROM "Alert" ORDER BY "raisedAt"`,
    );

  it("has not checked anything while it starts, and then finds its numbers in order", async () => {
    start();
    expect(check.state()).toBe("unchecked");
    await becomes("ok");
    expect(await incidents()).toEqual([]);
  });

  it("tells the founder of numbers that do not reach it, and that they do again", async () => {
    await pool(DEMO_NUMBER, SECOND, "+447700900999");
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE });
    start();
    await becomes("differs");
    expect(await incidents()).toEqual([
      {
        type: "WEBHOOK_CONFIG_DIFFERS",
        state: "OPEN",
        summary: expect.stringMatching(/^2 of 3 numbers .*`pnpm provision --check`$/),
      },
    ]);

    await pool(DEMO_NUMBER, SECOND);
    await provision();
    await jest.advanceTimersByTimeAsync(5 * MINUTE_MS);
    await becomes("ok");
    expect(await incidents()).toMatchObject([{ state: "RESOLVED" }]);
  });

  it("logs which settings of which number, masked", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE });
    start();
    await becomes("differs");
    expect(log).toContain('"numbers":[{"number":"+44*****4321","state":"differs"');
    expect(log).toContain('"differences":["smsUrl"]');
    expect(log).not.toContain(DEMO_NUMBER);
    expect(log).not.toContain("old.example.com");
  });

  it("looks again after an hour, not before", async () => {
    let looks = 0;
    start({
      ...numbers,
      list: (limit) => {
        looks += 1;
        return numbers.list(limit);
      },
    });
    await becomes("ok");
    world.simulator.addNumber(DEMO_NUMBER, { voiceUrl: "" });
    await jest.advanceTimersByTimeAsync(59 * MINUTE_MS);
    expect(looks).toBe(1);
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect(looks).toBe(2);
    await becomes("differs");
  });

  it("claims nothing while Twilio does not answer, and asks again after 5 minutes", async () => {
    let isDown = true;
    start({
      ...numbers,
      list: (limit) => (isDown ? Promise.reject(new Error("Twilio is down")) : numbers.list(limit)),
    });
    await eventually(
      async () => log,
      (lines) => lines.includes("Twilio is down"),
    );
    expect(check.state()).toBe("unchecked");
    expect(await incidents()).toEqual([]);

    isDown = false;
    await jest.advanceTimersByTimeAsync(5 * MINUTE_MS);
    await becomes("ok");
  });

  it("stops in the middle of a look", async () => {
    start({
      ...numbers,
      list: (limit) =>
        new Promise((_resolve, reject) =>
          limit.addEventListener("abort", () => reject(limit.reason)),
        ),
    });
    await check.stop();
    expect(check.state()).toBe("unchecked");
    expect(log).toBe("");
  });
});

describe("pnpm provision", () => {
  interface Run {
    code: unknown;
    output: string;
  }

  async function run(args: string[], env: Record<string, string> = {}): Promise<Run> {
    const script = new URL("../../../scripts/provision.ts", import.meta.url).pathname;
    const source = ["--conditions=@jobrun/source", "--disable-warning=ExperimentalWarning"];
    const child = spawn(process.execPath, [...source, script, ...args], {
      env: {
        PATH: process.env["PATH"],
        NODE_ENV: "production",
        DATABASE_URL: world.database.url,
        TWILIO_ACCOUNT_SID: world.simulator.accountSid,
        TWILIO_AUTH_TOKEN: world.simulator.authToken,
        TWILIO_API_BASE_URL: world.simulator.twilioUrl,
        PUBLIC_BASE_URL: BASE,
        ...env,
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [code] = await once(child, "close");
    return { code, output };
  }

  it("--check shows each setting that would change, changes nothing, and fails", async () => {
    await pool(DEMO_NUMBER, SECOND, "+447700900999");
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE, smsMethod: "GET" });
    const { code, output } = await run(["--check"]);
    expect(output.split("\n")).toEqual([
      "number         setting  is                               should be",
      "─────────────  ───────  ───────────────────────────────  ───────────",
      "+447700900001  ok",
      "+447700900999  not in this Twilio account",
      "+447987654321  SMS      GET https://old.example.com/sms  POST /sms#…",
      "",
      "/…  is at https://gateway.example.com",
      `#…  is ${OVERRIDES}: Twilio tries again after a 5xx, a failed`,
      "    connection or 10 s of silence",
      "",
      "3 numbers: 1 differs, 1 is not in this Twilio account, 1 is right. Nothing was changed.",
      "",
      "To do:",
      "  Run `pnpm provision`: it sets the numbers that differ.",
      "  For a number that is not in the account: correct TWILIO_ACCOUNT_SID, or, if the number was",
      '  given up, take it out of "TwilioNumberPool".',
      "",
    ]);
    expect(code).toBe(1);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject({ smsUrl: ELSEWHERE, smsMethod: "GET" });
  });

  it("shows before and after, and succeeds; then there is nothing left to do", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { voiceUrl: "", smsApplicationSid: APPLICATION });
    const first = await run([]);
    expect(first.output).toMatch(/^number +setting +before +after$/m);
    expect(first.output).toMatch(
      /^\+447987654321 {2}voice +not set +POST \/api\/twilio\/voice#…$/m,
    );
    expect(first.output).toMatch(new RegExp(`^ +SMS application {2}${APPLICATION} +not set$`, "m"));
    expect(first.output).toContain("1 number: 1 was set.");
    expect(first.code).toBe(0);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);

    const second = await run(["--check"]);
    expect(second).toEqual({
      code: 0,
      output: `+447987654321  ok\n\nThe number is set to reach ${BASE}.\n`,
    });
  });

  it("fails while a number is not in the account", async () => {
    await pool(DEMO_NUMBER, "+447700900999");
    const { code, output } = await run([]);
    expect(output).toContain("2 numbers: 1 is not in this Twilio account, 1 was right.");
    expect(code).toBe(1);
  });

  it("fails when Twilio refuses the credentials, and says which", async () => {
    const { code, output } = await run(["--check"], { TWILIO_AUTH_TOKEN: "wrong" });
    expect(output).toContain("the account SID or the auth token is wrong");
    expect(code).toBe(1);
  });

  it("names everything that is missing, and what to do", async () => {
    const { code, output } = await run([], {
      DATABASE_URL: "",
      TWILIO_ACCOUNT_SID: "",
      TWILIO_AUTH_TOKEN: "",
      PUBLIC_BASE_URL: "",
    });
    for (const key of [
      "DATABASE_URL",
      "TWILIO_ACCOUNT_SID",
      "TWILIO_AUTH_TOKEN",
      "PUBLIC_BASE_URL",
    ])
      expect(output).toMatch(new RegExp(`^ {2}${key} `, "m"));
    expect(output).toContain("To do: set them in .env");
    expect(code).toBe(1);
  });

  it("does not point real numbers at this machine", async () => {
    const env = { PUBLIC_BASE_URL: "http://localhost:3001", TWILIO_API_BASE_URL: "" };
    const { code, output } = await run([], env);
    expect(output).toContain("Twilio cannot reach PUBLIC_BASE_URL=http://localhost:3001");
    expect(code).toBe(1);
  });

  it("says that the database does not answer", async () => {
    const { code, output } = await run([], { DATABASE_URL: "postgresql://gateway@127.0.0.1:1/no" });
    expect(output).toContain("To do: look at DATABASE_URL");
    expect(code).toBe(1);
  });
});
