import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { AlertWorld, FOUNDER, HOUR, MINUTE, withSms } from "../../test/alert-world.ts";

const world = new AlertWorld();

beforeAll(() => world.start());
beforeEach(() => world.reset());
afterAll(() => world.stop());

describe("the founder is told", () => {
  it("by the webhook, in a form Slack shows", async () => {
    const alerts = world.service();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(world.posts).toEqual([
      {
        text: "JobRun CRITICAL: No number is left for new tenants (POOL_EMPTY)",
        type: "POOL_EMPTY",
        severity: "critical",
        key: "POOL_EMPTY",
        state: "OPEN",
        summary: "No number is left for new tenants",
        runbook: "docs/runbook.md#pool_empty",
        occurrences: 1,
        raisedAt: "2026-11-01T09:00:00.000Z",
      },
    ]);
    expect(world.events("alert_delivered")).toMatchObject([{ channel: "webhook" }]);
  });

  it("by one text through the outbox, and told when the provider took it", async () => {
    const alerts = world.service(withSms);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    await alerts.tick();
    expect(await world.texts()).toMatchObject([
      {
        kind: "founder_alert",
        tenantId: null,
        sender: withSms.opsNumber,
        recipient: FOUNDER,
        status: "QUEUED",
        segments: 1,
      },
    ]);
    expect(world.events("alert_delivered")).toEqual([]);
    await world.db.service.message.updateMany({ data: { status: "SENT" } });
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["sms DELIVERED"]);
    expect(world.posts).toEqual([]);
  });

  it.each([
    [
      "is refused",
      async () => void (await world.db.service.message.updateMany({ data: { status: "FAILED" } })),
    ],
    ["is not sent within 60 s", async () => void (world.clock += MINUTE)],
  ])("by the next channel when the text %s", async (_case, fail) => {
    const alerts = world.service(withSms);
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    await fail();
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["sms FAILED", "webhook DELIVERED"]);
    // the text must not arrive hours later
    expect(await world.texts()).toMatchObject([{ status: "FAILED" }]);
  });

  it("by both channels when texts themselves are failing", async () => {
    const alerts = world.service(withSms);
    await alerts.raise({ type: "BREAKER_OPEN", resource: "twilio" });
    await alerts.tick();
    expect((await world.deliveries()).toSorted()).toEqual(["sms PENDING", "webhook DELIVERED"]);
  });

  it("once in 6 hours, and again when it still goes on", async () => {
    const alerts = world.service();
    await world.storeMessage({ status: "DEAD" });
    await alerts.tick();
    world.clock += 6 * HOUR - 1;
    await alerts.tick();
    expect(world.posts).toHaveLength(1);
    world.clock += 1;
    await alerts.tick();
    expect(world.posts).toHaveLength(2);
  });

  it("once about what happened once", async () => {
    const alerts = world.service();
    await alerts.raise({ type: "UNROUTED_MESSAGE" });
    await alerts.tick();
    world.clock += 7 * HOUR;
    await alerts.tick();
    expect(world.posts).toHaveLength(1);
  });

  it("at once when it gets worse", async () => {
    const alerts = world.service();
    await alerts.raise({ type: "QUOTA_NEAR", severity: "warning" });
    await alerts.tick();
    await alerts.raise({ type: "QUOTA_NEAR", severity: "critical" });
    await alerts.tick();
    await alerts.tick();
    expect(world.posts.map(({ severity }) => severity)).toEqual(["warning", "critical"]);
  });

  it("later, when every channel failed: it stays due and the waits grow", async () => {
    world.answers = Array<number>(6).fill(404);
    const alerts = world.service();
    await alerts.raise({ type: "POOL_EMPTY" });
    const tried: number[] = [];
    for (let minute = 0; minute <= 8; minute += 1) {
      const before = world.posts.length;
      await alerts.tick();
      if (world.posts.length > before) tried.push(minute);
      world.clock += MINUTE;
    }
    expect(tried).toEqual([0, 1, 3, 7]);
    expect(world.log.filter(({ level }) => level === "error")).toHaveLength(4);
    expect(await world.deliveries()).toEqual(Array(4).fill("webhook FAILED"));
  });

  it("though the webhook stumbles once", async () => {
    world.answers = [500];
    const alerts = world.service();
    await alerts.raise({ type: "POOL_EMPTY" });
    await alerts.tick();
    expect(await world.deliveries()).toEqual(["webhook DELIVERED"]);
  });

  it("once, when two processes claim at the same moment", async () => {
    // Both have planned before either claims; several incidents make the claims overlap.
    const planned = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
    const databases = planned.map(() => world.open());
    const gateways = databases.map((database, index) =>
      world.service(
        {},
        {
          ...database,
          serviceTransaction: async (work) => {
            planned[index]?.resolve();
            await Promise.all(planned.map(({ promise }) => promise));
            return database.serviceTransaction(work);
          },
        },
      ),
    );
    const resources = Array.from({ length: 8 }, (_, index) => `r${index}`);
    for (const resource of resources) await gateways[0]?.raise({ type: "POOL_EMPTY", resource });
    await Promise.all(gateways.map((alerts) => alerts.tick()));
    expect(world.posts.map(({ key }) => key).toSorted()).toEqual(
      resources.map((resource) => `POOL_EMPTY:${resource}`),
    );
    await Promise.all(databases.map((database) => database.close()));
  });

  it("nothing about a text to the founder that died: an alert about alerts would never end", async () => {
    const alerts = world.service(withSms);
    await world.storeMessage({ status: "DEAD", kind: "founder_alert" });
    await alerts.tick();
    expect((await alerts.status()).open).toEqual([]);
    expect(world.posts).toEqual([]);
  });

  it("no number, though a caller puts one into the summary", async () => {
    const alerts = world.service();
    await alerts.raise({ type: "UNROUTED_MESSAGE", summary: `from ${FOUNDER}`, resource: FOUNDER });
    await alerts.tick();
    expect(JSON.stringify([world.posts, world.log])).not.toContain("7700900999");
    expect(world.posts).toHaveLength(1);
  });
});
