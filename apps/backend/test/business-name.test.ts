import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { createWorld, CUSTOMER, DEMO_NUMBER, type World } from "./harness.ts";

const NAME = "M\u00fcller & S\u00f6hne <24h>";
let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.query(`UPDATE "Client" SET name = $1, "operatorPhone" = '+447700900123'`, [NAME]);
});
afterAll(() => world.close());

it("a business called M\u00fcller & S\u00f6hne <24h> is answered for by the assistant and by the script", async () => {
  const gateway = await world.startGateway();
  expect((await gateway.text({ body: "Do you fix taps?" })).status).toBe(200);
  const [call] = world.simulator.modelCalls();
  expect(call?.messages[0]).toMatchObject({
    role: "system",
    content: expect.stringContaining(NAME),
  });

  const scripted = await world.startGateway({ OPENAI_API_KEY: "" });
  expect((await scripted.text({ body: "Hello", from: "+447123456780" })).status).toBe(200);
  const [reply] = await world.simulator.waitForSent(1, { to: "+447123456780" });
  expect(reply?.body).toContain(NAME);
});

it("its emergency reaches the operator by text, and its pause text the customer", async () => {
  const gateway = await world.startGateway();
  await gateway.text({
    body: "There is a strong smell of gas <here> & now",
    from: "+447123456781",
  });
  const [alert] = await world.simulator.waitForSent(1, { to: "+447700900123" });
  expect(alert?.body).toContain("There is a strong smell of gas <here> & now");

  await world.query(`UPDATE "Client" SET "outboundPaused" = true`);
  await gateway.text({ body: "Hello?", from: CUSTOMER });
  const sent = await world.simulator.waitForSent(2, { to: CUSTOMER });
  expect(sent.at(-1)?.body).toMatch(/^Thanks for your message! We're temporarily unable/);
  expect(sent.at(-1)?.body).toContain(DEMO_NUMBER);
});
