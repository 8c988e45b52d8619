import { describe, expect, it } from "@jest/globals";
import { plans, usualRates } from "../src/limits/plans.ts";
import { admin, superAdmin, useAdminWorld } from "./admin-world.ts";

useAdminWorld();

describe("what a tenant has used", () => {
  it("is told to their admin, with the limits that hold", async () => {
    const { id, number, admin: api } = await admin.addTenant();
    const path = `/tenants/${id}/usage`;
    const fresh = await api("GET", path);
    const { monthlyMessages, dailyTokens } = plans.starter;
    expect(fresh).toMatchObject({
      status: 200,
      body: {
        plan: "starter",
        period: expect.stringMatching(/^\d{4}-\d\d$/),
        messages: { used: 0, limit: monthlyMessages },
        tokens: { day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), used: 0, limit: dailyTokens },
        rates: { conversation: usualRates.conversationRate, sender: usualRates.senderRate },
      },
    });

    await admin.gateway.text({ to: number, from: "+447123499001" });
    await admin.gateway.text({ to: number, from: "+447123499002" });
    const rate = { max: 9, windowSeconds: 60 };
    const limits = { monthlyMessages: -1, senderRate: rate };
    await superAdmin("PATCH", `/tenants/${id}`, { plan: "pro", limits });
    const { body } = await api("GET", path);
    expect(body).toMatchObject({
      plan: "pro",
      messages: { used: 2, limit: -1 },
      tokens: { used: expect.any(Number), limit: plans.pro.dailyTokens },
      rates: { conversation: usualRates.conversationRate, sender: rate },
    });
    expect((body["tokens"] as { used: number }).used).toBeGreaterThan(0);
    expect((await superAdmin("GET", path)).body).toEqual(body);
  });

  it("is nobody else's to see", async () => {
    const [one, other] = [await admin.addTenant(), await admin.addTenant()];
    expect((await other.admin("GET", `/tenants/${one.id}/usage`)).status).toBe(404);
    expect((await admin.as(null)("GET", `/tenants/${one.id}/usage`)).status).toBe(401);
  });

  it("of days before is not of today", async () => {
    const { id, number, admin: api } = await admin.addTenant();
    await admin.gateway.text({ to: number, from: "+447123499003" });
    await admin.world.query(`UPDATE "Usage" SET "day" = '2000-01-01' WHERE "clientId" = $1`, [id]);
    expect((await api("GET", `/tenants/${id}/usage`)).body).toMatchObject({
      messages: { used: 1 },
      tokens: { used: 0 },
    });
  });
});
