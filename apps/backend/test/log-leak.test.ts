import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Faults } from "@jobrun/simulator";
import {
  createWorld,
  DEMO_NUMBER,
  post,
  type LogLine,
  type RunningGateway,
  type World,
} from "./harness.ts";

let world: World;

const BODY =
  "Hello, Wilhelmina Featherstonehaugh here, boiler out at 14 Larkspur Crescent, call 020 7946 0018";
const CALLER = "+447700900456";
const OPERATOR = "+447700900123";
const FOUNDER = "+447700900789";

beforeAll(async () => {
  world = await createWorld();
  await world.query(`UPDATE "Client" SET "operatorPhone" = $1`, [OPERATOR]);
});
afterAll(() => world.close());

/** Everything that can go wrong once, so that every kind of log line is written. */
async function misfortunes(gateway: RunningGateway): Promise<void> {
  const { simulator } = world;
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak1" });
  await gateway.logged((line) => line.event === "message_sent");
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak1" });
  await gateway.text({ body: `${BODY} GAS LEAK`, from: CALLER, sid: "SMleak2" });
  await gateway.text({ body: BODY, from: CALLER, to: "+447700900999", sid: "SMleak3" });
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak4", path: "/sms/fallback" });
  await gateway.text({ body: BODY, from: CALLER, signature: "forged" });
  await post(`${gateway.url}/sms?Body=${encodeURIComponent(BODY)}`, `From=${CALLER}`);
  await world.query(
    `ALTER TABLE "Message" ADD CONSTRAINT refuse CHECK (body NOT LIKE '%Featherstonehaugh%') NOT VALID`,
  );
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak6" });
  await world.query(`ALTER TABLE "Message" DROP CONSTRAINT refuse`);
  const faults: [Faults["twilio"], (line: LogLine) => boolean][] = [
    [
      { kind: "error", status: 400, code: 21211, times: 1 },
      (line) => line.event === "message_failed",
    ],
    [{ kind: "accept-then-reset", times: 1 }, (line) => line.event === "message_unknown"],
    [
      { kind: "error", status: 503, code: 20503, times: 1 },
      (line) => line.message === "Retrying SMS send in 1000ms",
    ],
  ];
  for (const [twilio, consequence] of faults) {
    simulator.setFaults({ twilio });
    await gateway.text({ body: BODY, from: CALLER });
    await gateway.logged(consequence);
  }
}

it("no log line of a run full of failures holds a number, a name, a text, a key or a token", async () => {
  const env = { FOUNDER_ALERT_PHONE: FOUNDER, LOG_LEVEL: "debug" };
  const brokenKey = await world.startGateway({
    ...env,
    OPENAI_API_KEY: "sk-broken-key-of-this-test",
  });
  await brokenKey.text({ body: BODY, from: CALLER, sid: "SMleak5" });
  // One gateway at a time, so that every outcome is in the log that is waited on.
  await brokenKey.stop();
  const gateway = await world.startGateway(env);
  await misfortunes(gateway);

  const everything = [...gateway.log, ...brokenKey.log]
    .map((line) => JSON.stringify(line))
    .join("\n");
  const numbers = [CALLER, OPERATOR, FOUNDER, DEMO_NUMBER, "02079460018"].flatMap((number) => [
    number,
    number.replace(/\D/g, ""),
  ]);
  const words = [
    "Featherstonehaugh",
    "Wilhelmina",
    "Larkspur",
    "boiler",
    "7946 0018",
    "Demo Plumbing",
  ];
  const secrets = [
    world.simulator.authToken,
    world.simulator.openaiKey,
    "sk-broken-key-of-this-test",
    new URL(world.database.url).password,
  ];
  for (const forbidden of [...numbers, ...words, ...secrets].filter(Boolean))
    expect(everything).not.toContain(forbidden);

  const events = new Set([...gateway.log, ...brokenKey.log].map((line) => line.event));
  for (const event of [
    "message_received",
    "duplicate_message_dropped",
    "message_deferred",
    "urgent_job_alerted",
    "transaction_failed",
    "llm_error",
    "message_failed",
    "message_unknown",
    "message_sent",
  ])
    expect(events).toContain(event);
});
