import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { ProviderNumbers } from "@jobrun/messaging";
import { AlertService } from "../src/alerts/alert-service.ts";
import { provisionNumbers } from "../src/numbers/provision.ts";
import { WebhookCheck } from "../src/numbers/webhook-check.ts";
import { createEvents } from "../src/telemetry/events.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { eventually } from "./eventually.ts";
import { DEMO_NUMBER } from "./harness.ts";
import {
  BASE,
  db,
  ELSEWHERE,
  numbers,
  pool,
  SECOND,
  signal,
  useProvisionWorld,
  world,
} from "./provision-world.ts";

useProvisionWorld();

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
    await provisionNumbers(db, numbers, BASE, signal);
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
    await becomes("differs");
    expect(looks).toBe(2);
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
