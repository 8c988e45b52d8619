import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { createWorld, DEMO_NUMBER, post, type RunningGateway, type World } from "./harness.ts";

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
async function misfortunes(gateway: RunningGateway, brokenKey: RunningGateway): Promise<void> {
  const { simulator } = world;
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak1" });
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak1" });
  await gateway.text({ body: `${BODY} GAS LEAK`, from: CALLER, sid: "SMleak2" });
  await gateway.text({ body: BODY, from: CALLER, to: "+447700900999", sid: "SMleak3" });
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak4", path: "/sms/fallback" });
  await gateway.text({ body: BODY, from: CALLER, signature: "forged" });
  await brokenKey.text({ body: BODY, from: CALLER, sid: "SMleak5" });
  await post(`${gateway.url}/sms?Body=${encodeURIComponent(BODY)}`, `From=${CALLER}`);
  await world.query(
    `ALTER TABLE "Message" ADD CONSTRAINT refuse CHECK (body NOT LIKE '%Featherstonehaugh%') NOT VALID`,
  );
  await gateway.text({ body: BODY, from: CALLER, sid: "SMleak6" });
  await world.query(`ALTER TABLE "Message" DROP CONSTRAINT refuse`);
  for (const twilio of [
    { kind: "error", status: 400, code: 21211, times: 1 },
    { kind: "accept-then-reset", times: 1 },
    { kind: "error", status: 503, code: 20503, times: 1 },
  ] as const) {
    simulator.setFaults({ twilio });
    const [{ count } = { count: 0 }] = await settled();
    await gateway.text({ body: BODY, from: CALLER });
    await gateway.logged((line) => isOutcome(line) && gateway.log.filter(isOutcome).length > count);
  }
}

function isOutcome(line: { event?: string; message: string }): boolean {
  return ["message_sent", "message_failed", "message_unknown"].includes(line.event ?? "");
}

function settled(): Promise<{ count: number }[]> {
  return world.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM "Message" WHERE direction = 'OUTBOUND' AND status IN ('SENT', 'FAILED', 'UNKNOWN')`,
  );
}

it("no log line of a run full of failures holds a number, a name, a text, a key or a token", async () => {
  const env = { FOUNDER_ALERT_PHONE: FOUNDER, LOG_LEVEL: "debug" };
  const gateway = await world.startGateway(env);
  const brokenKey = await world.startGateway({
    ...env,
    OPENAI_API_KEY: "sk-broken-key-of-this-test",
  });
  await misfortunes(gateway, brokenKey);

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
