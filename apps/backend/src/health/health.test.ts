import express from "express";
import request from "supertest";
import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { newId, type Database } from "@jobrun/db";
import { openTestDatabase, type OpenTestDatabase } from "../../test/open-test-database.ts";
import { AlertService } from "../alerts/alert-service.ts";
import { createEvents } from "../telemetry/events.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { healthRoutes } from "./health.ts";

let test: OpenTestDatabase;
let db: Database;
let down: Database;

beforeAll(async () => {
  test = await openTestDatabase();
  db = test.db;
  down = test.open("postgresql://gateway@127.0.0.1:1/none");
});

afterAll(async () => {
  await down.close();
  await test.close();
});

afterEach(() => test.clear());

interface Settings {
  database?: Database;
  signatures?: "required" | "off";
  disabled?: boolean;
  webhookUrl?: string | null;
  breaker?: "closed" | "half-open" | "open";
  webhooks?: "ok" | "differs" | "unchecked";
}

const SWEPT = { lastRunAt: "2026-11-21T12:00:00.000Z", missed: 2, recovered: 2 };

function gateway(settings: Settings = {}) {
  const { database = db, signatures = "required", disabled = false } = settings;
  const { webhookUrl = "http://127.0.0.1:1/hook", breaker = "closed", webhooks = "ok" } = settings;
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  const logger = createLogger({ level: "error", pretty: false, stream });
  const metrics = createMetrics();
  const alerts = new AlertService({
    db: database,
    logger,
    events: createEvents({ logger, strict: true }),
    metrics,
    config: {
      disabled,
      founderPhone: "+447700900999",
      opsNumber: "+447700900888",
      webhookUrl,
      pagerDuty: null,
    },
  });
  const routes = healthRoutes({
    db: database,
    alerts,
    metrics,
    config: {
      version: "1.2.3",
      signatures,
      assistantProvider: "scripted",
      disabledAlerts: disabled,
    },
    startedAt: new Date(Date.now() - 90_000),
    assistantState: () => ({ lastError: null }),
    sweepState: async () => SWEPT,
    problems: [],
    providers: () => [{ provider: "twilio", breaker, webhooks }],
  });
  return { alerts, http: request(express().use(routes)) };
}

async function storeMessage(status: "QUEUED" | "UNKNOWN" | "DEAD" | "SENT") {
  const [sender, recipient] = ["+447700900888", "+447700900456"];
  await db.service.message.create({
    data: {
      id: newId(),
      direction: "OUTBOUND",
      channel: "sms",
      sender,
      recipient,
      body: "x",
      status,
      unknownSince: status === "UNKNOWN" ? new Date() : null,
    },
  });
}

describe("GET /health", () => {
  it("of a well gateway is 200 with everything a founder asks", async () => {
    const { status, body } = await gateway().http.get("/health");
    expect(status).toBe(200);
    expect(body).toEqual({
      status: "ok",
      version: "1.2.3",
      uptimeSeconds: 90,
      timestamp: expect.any(String),
      alerts: {
        enabled: true,
        reason: null,
        founderPhoneConfigured: true,
        channels: ["sms", "webhook"],
        open: [],
      },
      checks: {
        database: { status: "ok", latencyMs: expect.any(Number) },
        outbox: { queued: 0, unknown: 0, dead: 0, oldestSeconds: 0 },
        deferred: { waiting: 0, oldestSeconds: 0 },
        sweep: SWEPT,
        providers: { twilio: { breaker: "closed", webhooks: "ok" } },
        assistant: { provider: "scripted", lastError: null },
      },
      violations: [],
    });
  });

  it("is degraded with ALERTS_DISABLED, and says so", async () => {
    const { status, body } = await gateway({ disabled: true }).http.get("/health");
    expect([status, body.status]).toEqual([200, "degraded"]);
    expect(body.alerts).toMatchObject({
      enabled: false,
      reason: "ALERTS_DISABLED env var set to true",
    });
    expect(body.violations).toEqual(["ALERTS_DISABLED=true"]);
  });

  it("is degraded while signatures are not checked", async () => {
    const { body } = await gateway({ signatures: "off" }).http.get("/health");
    expect(body).toMatchObject({ status: "degraded", violations: ["WEBHOOK_SIGNATURES=off"] });
  });

  it.each(["UNKNOWN", "DEAD"] as const)("is degraded while a message is %s", async (status) => {
    await storeMessage(status);
    const { body } = await gateway().http.get("/health");
    expect(body.status).toBe("degraded");
    expect(body.checks.outbox[status.toLowerCase()]).toBe(1);
  });

  it("is ok while messages wait their turn", async () => {
    await storeMessage("QUEUED");
    const { body } = await gateway().http.get("/health");
    expect([body.status, body.checks.outbox.queued]).toEqual(["ok", 1]);
  });

  it.each([
    ["critical", "POOL_EMPTY", "degraded"],
    ["warning", "POOL_LOW", "ok"],
  ] as const)("with an open %s incident lists it", async (severity, type, expected) => {
    const { alerts, http } = gateway();
    await alerts.raise({ type });
    const { body } = await http.get("/health");
    expect(body).toMatchObject({ status: expected, alerts: { open: [{ type, severity }] } });
  });

  it("is 503 without the database, with everything else still there", async () => {
    const { status, body } = await gateway({ database: down }).http.get("/health");
    expect([status, body.status]).toEqual([503, "unhealthy"]);
    expect(body).toMatchObject({
      version: "1.2.3",
      alerts: { enabled: true, channels: ["sms", "webhook"] },
      checks: {
        database: { status: "failed", latencyMs: null },
        outbox: { queued: null },
        assistant: { provider: "scripted" },
      },
    });
  });

  it("shows no number and no secret", async () => {
    const { alerts, http } = gateway();
    await alerts.raise({ type: "UNROUTED_MESSAGE", resource: "+447700900456" });
    const { text } = await http.get("/health");
    expect(text).toContain("UNROUTED_MESSAGE");
    expect(text).not.toMatch(/7700900|127\.0\.0\.1/);
  });
});

describe("GET /live", () => {
  it("is 200 whatever happens to the database", async () => {
    expect((await gateway({ database: down }).http.get("/live")).status).toBe(200);
  });
});

describe("GET /metrics", () => {
  it("shows the outbox as it is at this moment", async () => {
    await storeMessage("QUEUED");
    await storeMessage("DEAD");
    const { text, type } = await gateway().http.get("/metrics");
    expect(type).toBe("text/plain");
    expect(text).toContain('jobrun_outbox_depth{state="queued"} 1');
    expect(text).toContain('jobrun_outbox_depth{state="dead"} 1');
  });

  it("answers without the database, and claims nothing about the outbox", async () => {
    const { status, text } = await gateway({ database: down }).http.get("/metrics");
    expect(status).toBe(200);
    expect(text).toContain("jobrun_duplicates_total 0");
    expect(text).not.toMatch(/^jobrun_outbox_(depth|oldest_seconds)[{ ]/m);
  });
});
