import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Database } from "@jobrun/db";
import { AlertWorld, FOUNDER, MINUTE, withSms } from "../../test/alert-world.ts";

const world = new AlertWorld();

beforeAll(() => world.start());
beforeEach(() => world.reset());
afterAll(() => world.stop());

const alertsBy = (config: Parameters<AlertWorld["service"]>[0] = {}, database?: Database) =>
  world.service({ webhookUrl: null, pagerDuty: world.pagerDuty, ...config }, database);
const actions = () => world.pages.map(({ event_action }) => event_action);

describe("PagerDuty is told", () => {
  it("of an incident, in the form of its Events API v2", async () => {
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(world.pages).toEqual([
      {
        routing_key: "R0UT1NGKEY",
        event_action: "trigger",
        dedup_key: "POOL_EMPTY",
        payload: {
          summary: "JobRun CRITICAL: No number is left for new tenants (POOL_EMPTY)",
          source: "jobrun",
          severity: "critical",
          timestamp: "2026-11-01T09:00:00.000Z",
          class: "POOL_EMPTY",
          custom_details: { runbook: "docs/runbook.md#pool_empty", occurrences: 1 },
        },
      },
    ]);
    expect(world.events("alert_delivered")).toMatchObject([{ channel: "pagerduty" }]);
    expect((await alerts.status()).channels).toEqual(["pagerduty"]);
  });

  it("of a warning as a warning", async () => {
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_LOW" });
    await alerts.tick();
    expect(world.pages).toMatchObject([{ payload: { severity: "warning" } }]);
  });

  it("of its end, once", async () => {
    const alerts = alertsBy();
    await alerts.raise({ type: "BREAKER_OPEN", resource: "twilio" });
    await alerts.tick();
    await alerts.resolve("BREAKER_OPEN", "twilio");
    await alerts.tick();
    await alerts.tick();
    expect(world.pages.slice(1)).toEqual([
      {
        routing_key: "R0UT1NGKEY",
        event_action: "resolve",
        dedup_key: "BREAKER_OPEN:twilio",
      },
    ]);
  });

  it("of no end of what it was not told of", async () => {
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.resolve("POOL_EMPTY");
    await alerts.tick();
    expect(world.pages).toEqual([]);
  });

  it("of no end while the same goes on in a new incident, and of its end then", async () => {
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    await alerts.resolve("POOL_EMPTY");
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(actions()).toEqual(["trigger"]);
    await alerts.resolve("POOL_EMPTY");
    await alerts.tick();
    expect(actions()).toEqual(["trigger", "resolve"]);
  });

  it("again, when it returns after PagerDuty was told of its end", async () => {
    const alerts = alertsBy();
    for (let times = 0; times < 2; times += 1) {
      await alerts.raise({ type: "POOL_EMPTY" });
      await alerts.tick();
      await alerts.resolve("POOL_EMPTY");
      await alerts.tick();
    }
    expect(actions()).toEqual(["trigger", "resolve", "trigger", "resolve"]);
  });

  it("no number, though a caller puts one into the summary and the resource", async () => {
    const alerts = alertsBy();
    await alerts.raise({ type: "UNROUTED_MESSAGE", summary: `from ${FOUNDER}`, resource: FOUNDER });
    await alerts.tick();
    await alerts.resolve("UNROUTED_MESSAGE", FOUNDER);
    await alerts.tick();
    expect(actions()).toEqual(["trigger", "resolve"]);
    expect(world.pages[0]?.["dedup_key"]).toBe(world.pages[1]?.["dedup_key"]);
    expect(JSON.stringify([world.pages, world.log])).not.toContain("7700900999");
  });
});

describe("when PagerDuty", () => {
  it.each([[500], [429]])("answers %i once, it is tried again at once", async (status) => {
    world.answers = [status];
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(world.pages).toHaveLength(2);
    expect(await world.deliveries()).toEqual(["pagerduty DELIVERED"]);
  });

  it("refuses, the incident stays due, and no key is in the log", async () => {
    world.answers = [400];
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["pagerduty FAILED"]);
    world.clock += MINUTE;
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["pagerduty FAILED", "pagerduty DELIVERED"]);
    expect(JSON.stringify(world.log)).toContain("PagerDuty answered 400");
    expect(JSON.stringify(world.log)).not.toContain("R0UT1NGKEY");
  });

  it("does not answer, it is tried again after 5 s", async () => {
    world.answers = ["hangs"];
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["pagerduty DELIVERED"]);
  }, 15_000);

  it("does not take the end of an incident, it is told again a minute later", async () => {
    const alerts = alertsBy();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    await alerts.resolve("POOL_EMPTY");
    world.answers = [400];
    await alerts.tick();
    await alerts.tick();
    expect(actions()).toEqual(["trigger", "resolve"]);
    world.clock += MINUTE;
    await alerts.tick();
    await alerts.tick();
    expect(actions()).toEqual(["trigger", "resolve", "resolve"]);
    expect(await world.deliveries()).toEqual(["pagerduty RESOLVED"]);
  });
});

describe("beside other channels PagerDuty", () => {
  const all = () => ({ ...withSms, webhookUrl: world.webhookUrl });

  it("comes last", async () => {
    world.answers = [404];
    const alerts = alertsBy(all());
    expect((await alerts.status()).channels).toEqual(["sms", "webhook", "pagerduty"]);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["sms PENDING"]);
    world.clock += MINUTE;
    await alerts.tick();
    await alerts.tick();
    expect(await world.deliveries()).toEqual([
      "sms FAILED",
      "webhook FAILED",
      "pagerduty DELIVERED",
    ]);
  });

  it("is told at once, with all of them, when texts themselves are failing", async () => {
    const alerts = alertsBy(all());
    await alerts.raise({ type: "BREAKER_OPEN", resource: "twilio" });
    await alerts.tick();
    expect((await world.deliveries()).toSorted()).toEqual([
      "pagerduty DELIVERED",
      "sms PENDING",
      "webhook DELIVERED",
    ]);
  });
});

describe("without the database PagerDuty", () => {
  it("is told of what happens, and of its end when the database is back", async () => {
    let down = true;
    const refuse = () => Promise.reject(new Error("the database is down"));
    const flaky: Database = {
      ...world.db,
      get service() {
        return down
          ? ({ $queryRaw: refuse, $executeRaw: refuse } as unknown as Database["service"])
          : world.db.service;
      },
      serviceTransaction: (work) => (down ? refuse() : world.db.serviceTransaction(work)),
    };
    const alerts = alertsBy({ webhookUrl: world.webhookUrl }, flaky);
    world.answers = [404];
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    await alerts.tick();
    expect([world.posts.length, actions()]).toEqual([1, ["trigger"]]);
    await alerts.resolve("POOL_EMPTY");
    expect((await alerts.status()).open).toEqual([]);
    down = false;
    await alerts.tick();
    await alerts.tick();
    expect(actions()).toEqual(["trigger", "resolve"]);
    expect(world.events("alert_resolved")).toHaveLength(1);
  });
});
