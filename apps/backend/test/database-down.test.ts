import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { DatabaseDoor } from "./database-door.ts";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, type RunningGateway, type World } from "./harness.ts";

let world: World;
let gateway: RunningGateway;
let door: DatabaseDoor;

beforeAll(async () => {
  world = await createWorld();
  door = await DatabaseDoor.before(world);
  gateway = await world.startGateway({ DATABASE_URL: door.url });
});
afterAll(async () => {
  await world.close();
  await door.shut();
});

async function status(path: string): Promise<number> {
  return (await fetch(gateway.url + path)).status;
}

it("without its database the gateway refuses texts so that they come again, and still answers the customer", async () => {
  await eventually(
    () => status("/health"),
    (code) => code === 200,
  );
  await door.shut();

  expect(await gateway.text({ sid: "SMdown" })).toMatchObject({
    status: 500,
    body: "Message processing failed - will retry",
  });
  const fallback = await gateway.text({ sid: "SMdown", path: "/sms/fallback" });
  expect(fallback).toMatchObject({ status: 200, contentType: expect.stringContaining("text/xml") });
  expect(fallback.body).toContain(
    "<Message>We're experiencing a technical issue. Please call us directly",
  );
  expect(await status("/health")).toBe(503);
  expect(await status("/live")).toBe(200);
});

it("comes back by itself when the database does", async () => {
  await door.open();
  expect((await gateway.text({ sid: "SMback" })).status).toBe(200);
  await world.simulator.waitForSent(1, { to: CUSTOMER });
  await eventually(
    () => status("/health"),
    (code) => code === 200,
  );
});
