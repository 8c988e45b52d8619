import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { inboundParams, signTwilioRequest } from "@jobrun/simulator";
import { eventually } from "./eventually.ts";
import { createWorld, CUSTOMER, DEMO_NUMBER, post, type World } from "./harness.ts";
import { spawnGateway } from "./spawn-gateway.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

it("SIGTERM in the middle of a webhook lets it finish, and the process ends with nothing half done", async () => {
  const gateway = await spawnGateway(world);
  world.simulator.setFaults({ modelDelayMs: 800 });
  const params = inboundParams({
    from: CUSTOMER,
    to: DEMO_NUMBER,
    body: "Hello",
    accountSid: world.simulator.accountSid,
  });
  const signature = signTwilioRequest(
    world.simulator.authToken,
    "https://gateway.example.com/sms",
    params,
  );
  const asked = gateway.logged((line) => line.event === "llm_request");
  const answer = post(`${gateway.url}/sms`, new URLSearchParams(params), {
    "x-twilio-signature": signature,
  });
  await asked;
  gateway.process.kill("SIGTERM");

  expect((await answer).status).toBe(200);
  expect(await gateway.exited).toEqual([0, null]);
  expect(await world.query(`SELECT status FROM "Message" WHERE direction = 'INBOUND'`)).toEqual([
    { status: "RECEIVED" },
  ]);
  expect(await world.query(`SELECT 1 FROM "Message" WHERE status = 'SENDING'`)).toEqual([]);
  // PostgreSQL ends a session a moment after its client has closed the connection.
  await eventually(
    () =>
      world.query(
        `SELECT 1 FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
      ),
    (sessions) => sessions.length === 0,
  );
});
