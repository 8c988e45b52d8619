import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { providers } from "@jobrun/messaging";
import { eventually } from "./eventually.ts";
import { createWorld, post, type RunningGateway, type World } from "./harness.ts";
import { OPERATOR, URGENT_WORDS } from "./operator-world.ts";
import { pigeonProvider, type Flight } from "./pigeon-provider/pigeon-provider.ts";

const RING = "GB-2026-00417";
const HOME = "loft-of-the-demo";
const flights: Flight[] = [];

let world: World;
let gateway: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  await world.query(
    `INSERT INTO "ChannelNumber" ("channel", "address", "provider", "phoneNumber", "clientId")
     VALUES ('pigeon', $1, 'pigeon-post', '+447700900321', $2)`,
    [HOME, demoTenant.id],
  );
  gateway = await world.startGateway({ PIGEON_SECRET: "a-ring" }, {}, [
    ...providers,
    pigeonProvider(flights),
  ]);
});
afterAll(() => world.close());

let letters = 0;

const report = (reports: object[], ring = "a-ring") =>
  post(`${gateway.url}/api/v1/loft`, JSON.stringify(reports), {
    "content-type": "application/json",
    "x-ring": ring,
  });

async function write(words: string, letter = `letter-${(letters += 1)}`): Promise<void> {
  expect((await report([{ letter, ring: RING, home: HOME, words }])).status).toBe(200);
}

async function messages() {
  return world.query<{ direction: string; status: string; body: string; sender: string }>(
    `SELECT "direction", "status", "body", "sender" FROM "Message" WHERE "channel" = 'pigeon' ORDER BY "position"`,
  );
}

it("is a channel like any other: taken in, answered once, sent, and its receipt applied", async () => {
  await write("My tap drips", "letter-twice");
  await write("My tap drips", "letter-twice");
  const [, answer] = await eventually(messages, (rows) => rows.at(-1)?.status === "SENT");
  expect(await messages()).toHaveLength(2);
  expect(answer).toMatchObject({ direction: "OUTBOUND", sender: HOME });
  expect(flights).toMatchObject([{ to: RING, body: answer?.body }]);

  const landed = await report([{ landed: `flight-${flights[0]?.id}` }]);
  expect(landed.status).toBe(200);
  expect((await messages()).at(-1)?.status).toBe("DELIVERED");
});

it("is refused without its secret, and its unreadable reports with 400", async () => {
  expect((await report([], "another-ring")).status).toBe(401);
  expect((await report([{ letter: 1 }])).status).toBe(400);
});

it("alerts the operator of an urgent job by SMS", async () => {
  await write(URGENT_WORDS);
  const [alert] = await world.simulator.waitForSent(1, { to: OPERATOR });
  expect(alert).toMatchObject({ from: demoTenant.phoneNumber });
  expect(alert?.body).toContain("burst");
});

it("keeps to STOP and START, each confirmed once on the channel itself", async () => {
  await eventually(messages, (rows) =>
    rows.every(({ status }) => status !== "QUEUED" && status !== "SENDING"),
  );
  const before = flights.length;
  await write("STOP");
  await write("Still there?");
  await write("START");
  await eventually(
    async () => flights.slice(before),
    (sent) => sent.length >= 2,
  );
  expect(flights.slice(before).map(({ body }) => body)).toEqual([
    expect.stringContaining("START"),
    expect.stringContaining("again"),
  ]);
});

it("is shown by /health and counted by /metrics", async () => {
  const health = (await (await fetch(`${gateway.url}/health`)).json()) as { providers: object[] };
  expect(JSON.stringify(health)).toContain("pigeon-post");
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toContain('channel="pigeon"');
});

it("is not there unless it is registered, nor unless it is configured", async () => {
  const without = await world.startGateway({ PIGEON_SECRET: "a-ring" });
  const unconfigured = await world.startGateway({}, {}, [...providers, pigeonProvider([])]);
  for (const { url } of [without, unconfigured]) {
    const response = await fetch(`${url}/api/v1/loft`, { method: "POST", body: "[]" });
    expect(response.status).toBe(404);
  }
});
