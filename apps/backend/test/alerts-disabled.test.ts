import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { eventually } from "./eventually.ts";
import { createWorld, type World } from "./harness.ts";
import { spawnGateway } from "./spawn-gateway.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

it("ALERTS_DISABLED=true is shouted at start-up and makes /health degraded with the reason", async () => {
  const gateway = await spawnGateway(world, { ALERTS_DISABLED: "true" });
  await eventually(
    async () => gateway.stderr(),
    (written) => written.includes("ALERTS ARE GLOBALLY DISABLED"),
  );
  const response = await fetch(`${gateway.url}/health`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    status: "degraded",
    alerts: { enabled: false, reason: "ALERTS_DISABLED env var set to true" },
  });
  gateway.process.kill("SIGTERM");
  expect(await gateway.exited).toEqual([0, null]);
});

it("without it the same gateway is ok and says which channels a founder is reached by", async () => {
  const gateway = await world.startGateway({ FOUNDER_ALERT_PHONE: "+447700900789" });
  const health = await (await fetch(`${gateway.url}/health`)).json();
  expect(health).toMatchObject({
    status: "ok",
    alerts: { enabled: true, reason: null, founderPhoneConfigured: true, channels: ["sms"] },
  });
});
