import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { addTenant, DEFERRED, HOLDING, OFTEN, storeEarlier } from "./deferred-world.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";
import { messagesWith } from "./rows.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

describe("the holding text", () => {
  it("goes once to who has waited for a minute, and never to who wants or needs none", async () => {
    const [waits, optedOut, takenOver, twice] = await storeEarlier(world, {
      customers: 4,
      prefix: "+44712348",
      secondsAgo: 61,
      leased: true,
    });
    const [young] = await storeEarlier(world, {
      customers: 1,
      prefix: "+44712349",
      secondsAgo: 30,
      leased: true,
    });
    await world.query(`UPDATE "Customer" SET "optedOutAt" = now() WHERE "phone" = $1`, [optedOut]);
    await world.query(
      `UPDATE "Conversation" v SET "humanUntil" = now() + interval '1 hour' FROM "Customer" c
       WHERE c."id" = v."customerId" AND c."phone" = $1`,
      [takenOver],
    );
    await world.query(
      `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
         "body", "media", "status", "requestId", "providerMessageId", "createdAt", "dueAt", "leasedUntil")
       SELECT gen_random_uuid(), "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
         'Hello?', "media", "status", "requestId", 'SMsecond', "createdAt", "dueAt", "leasedUntil"
       FROM "Message" WHERE "sender" = $1`,
      [twice],
    );
    await world.startGateway(DEFERRED, OFTEN);
    const told = [waits, twice] as string[];
    await world.simulator.waitForSent(2);
    // Whoever comes later is told in a round that has looked at all of these again.
    const [late = ""] = await storeEarlier(world, {
      customers: 1,
      prefix: "+44712350",
      secondsAgo: 61,
      leased: true,
    });
    await world.simulator.waitForSent(1, { to: late });
    const sent = world.simulator.sent();
    expect(sent.map(({ to }) => to).toSorted()).toEqual([...told, late].toSorted());
    expect(sent.map(({ body }) => body)).toEqual([HOLDING, HOLDING, HOLDING]);
    for (const person of [young, optedOut, takenOver])
      expect(await messagesWith(world, person ?? "")).toHaveLength(1);
  });

  it("is not sent while the tenant is paused", async () => {
    const number = "+447987654300";
    await addTenant(world, number);
    const [paused = ""] = await storeEarlier(world, {
      customers: 1,
      prefix: "+44712351",
      secondsAgo: 61,
      leased: true,
    });
    await world.query(`UPDATE "Client" SET "outboundPaused" = true WHERE "id" = $1`, [
      demoTenant.id,
    ]);
    const gateway = await world.startGateway(
      { ...DEFERRED, WEBHOOK_DEADLINE_MS: "1000" },
      { ...OFTEN, holdingAfterMs: 300 },
    );
    world.simulator.setFaults({ model: { kind: "hang" } });
    await gateway.text({ to: number });
    const [first] = await world.simulator.waitForSent(1, { to: CUSTOMER });
    expect(first?.body).toBe(HOLDING);
    world.simulator.setFaults({ model: { kind: "none" } });
    const [, second] = await world.simulator.waitForSent(2, { to: CUSTOMER }, 20_000);
    expect(second?.body).not.toBe(HOLDING);
    expect(world.simulator.sent({ to: paused })).toEqual([]);
    expect(await messagesWith(world, DEMO_NUMBER)).toHaveLength(1);
  });
});
