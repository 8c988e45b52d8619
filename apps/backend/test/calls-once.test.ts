import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  countMissedCallTexts,
  newCallSid,
  reportCall,
  SILENT_OK,
  type CallReport,
} from "./call-world.ts";
import { createWorld, DEMO_NUMBER, type RunningGateway, type World } from "./harness.ts";
import { settledMessagesWith } from "./rows.ts";

const OTHER_NUMBER = "+447987654322";
const OTHER_TENANT = "019a0000-0000-7000-8000-000000000002";

let world: World;
let one: RunningGateway;
let two: RunningGateway;

beforeAll(async () => {
  world = await createWorld();
  await world.query(
    `INSERT INTO "Client" ("id", "name", "operatorPhone", "locale") VALUES ($1, 'Serrures Dupont', '+33612345678', 'fr')`,
    [OTHER_TENANT],
  );
  await world.query(
    `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role", "clientId") VALUES ($1, 'OPERATIONAL', $2)`,
    [OTHER_NUMBER, OTHER_TENANT],
  );
  one = await world.startGateway();
  two = await world.startGateway();
});
afterAll(() => world.close());

const report = (given: CallReport, gateway = one) => reportCall(world, gateway, given);

describe("one text", () => {
  it("per call, over ten reports with different ends, in any order, to two processes at once", async () => {
    const from = "+447123450003";
    const sid = newCallSid();
    const ends = ["canceled", "ringing", "completed", "no-answer", "busy"];
    const answers = await Promise.all([
      ...ends.map((status) => report({ sid, from, status })),
      ...ends.map((status) => report({ sid, from, status }, two)),
    ]);
    expect(answers).toEqual(answers.map(() => SILENT_OK));
    await world.simulator.waitForSent(1, { to: from });
    expect(await settledMessagesWith(world, from)).toMatchObject([
      { kind: "call", providerMessageId: sid },
      { kind: "missed_call", status: "SENT" },
    ]);
    expect(world.simulator.sent({ to: from })).toHaveLength(1);
  });

  it("per call for ever, also long after the cooldown", async () => {
    const from = "+447123450004";
    const sid = newCallSid();
    await report({ sid, from });
    await world.simulator.waitForSent(1, { to: from });
    await passTime(from);
    expect(await report({ sid, from, status: "completed" }, two)).toEqual(SILENT_OK);
    expect(await countMissedCallTexts(world, from)).toBe(1);
    expect(two.log).toContainEqual(
      expect.objectContaining({ event: "duplicate_message_dropped", providerMessageId: sid }),
    );
  });

  it("per call when legs of it are reported under their own ids", async () => {
    const from = "+447123450005";
    const sid = newCallSid();
    await report({ sid, from });
    await world.simulator.waitForSent(1, { to: from });
    await passTime(from);
    await report({ from, extra: { ParentCallSid: sid } }, two);
    expect(await settledMessagesWith(world, from)).toHaveLength(2);
  });

  it("per caller within the cooldown, over ten calls in the same instant to two processes", async () => {
    const from = "+447123450006";
    // First as a stranger, later as a customer who is known.
    for (const texts of [1, 2]) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => report({ from }, index % 2 === 0 ? one : two)),
      );
      expect(answers).toEqual(answers.map(() => SILENT_OK));
      const rows = await settledMessagesWith(world, from);
      expect(rows.filter(({ kind }) => kind === "call")).toHaveLength(10 * texts);
      expect(rows.filter(({ kind }) => kind === "missed_call")).toHaveLength(texts);
      expect(world.simulator.sent({ to: from })).toHaveLength(texts);
      await passTime(from);
    }
  });

  it("per caller again when the cooldown is over", async () => {
    const from = "+447123450007";
    await report({ from });
    await report({ from });
    expect(await countMissedCallTexts(world, from)).toBe(1);
    await passTime(from);
    await report({ from });
    expect(await countMissedCallTexts(world, from)).toBe(2);
  });

  it("per caller and business: two businesses that share a customer do not see each other's call", async () => {
    const from = "+447123450008";
    await Promise.all([report({ from }), report({ from, to: OTHER_NUMBER })]);
    await world.simulator.waitForSent(2, { to: from });
    const rows = await world.query<{
      clientId: string;
      name: string;
      sender: string;
      body: string;
    }>(
      `SELECT m."clientId", t."name", m."sender", m."body" FROM "Message" m JOIN "Client" t ON t."id" = m."clientId"
         JOIN "Conversation" v ON v."id" = m."conversationId" AND v."clientId" = m."clientId"
         JOIN "Customer" c ON c."id" = v."customerId" AND c."clientId" = m."clientId" AND c."phone" = $1
       WHERE m."kind" = 'missed_call' ORDER BY m."sender"`,
      [from],
    );
    expect(rows.map(({ sender }) => sender)).toEqual([DEMO_NUMBER, OTHER_NUMBER]);
    for (const { name, body } of rows) expect(body).toContain(name);
    expect(new Set(rows.map(({ clientId }) => clientId)).size).toBe(2);
  });
});

/** As if the cooldown had passed since a caller's last call. */
async function passTime(caller: string): Promise<void> {
  await world.query(
    `UPDATE "Message" SET "createdAt" = "createdAt" - interval '15 minutes' WHERE "recipient" = $1`,
    [caller],
  );
}
