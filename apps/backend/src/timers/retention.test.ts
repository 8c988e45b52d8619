import { Writable } from "node:stream";
import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { openTestDatabase, type OpenTestDatabase } from "../../test/open-test-database.ts";
import { createLogger } from "../telemetry/logger.ts";
import { deleteOldRows } from "./retention.ts";

const DAY = 24 * 3_600_000;
const logger = createLogger({
  level: "error",
  pretty: false,
  stream: new Writable({ write: (_chunk, _encoding, done) => done() }),
});

let test: OpenTestDatabase;

beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());
beforeEach(() => test.clear());

const ago = (days: number) => new Date(Date.now() - days * DAY);

async function alert(type: string, resolvedAt: Date | null) {
  const id = newId();
  const state = resolvedAt === null ? "OPEN" : "RESOLVED";
  await test.db.service.alert.create({
    data: {
      id,
      key: type,
      type,
      severity: "warning",
      state,
      summary: "x",
      raisedAt: ago(200),
      resolvedAt,
      deliveries: { create: { id: newId(), channel: "sms", severity: "warning", state: "FAILED" } },
    },
  });
}

function message(body: string, kind: string, status: "SENT" | "FAILED" | "DEAD", days: number) {
  return test.db.service.message.create({
    data: {
      id: newId(),
      tenantId: kind === "reply" ? demoTenant.id : null,
      direction: "OUTBOUND",
      channel: "sms",
      kind,
      sender: "+447700900888",
      recipient: "+447700900999",
      body,
      status,
      createdAt: ago(days),
    },
  });
}

it("deletes receipts nobody asked for after a day", async () => {
  const receipt = (id: string, days: number) => ({
    id: newId(),
    provider: "twilio",
    providerMessageId: id,
    status: "SENT" as const,
    receivedAt: ago(days),
  });
  await test.db.service.pendingReceipt.createMany({
    data: [receipt("SMold", 1.1), receipt("SMnew", 0.9)],
  });
  await deleteOldRows(test.db, logger);
  const left = await test.db.service.pendingReceipt.findMany();
  expect(left.map(({ providerMessageId }) => providerMessageId)).toEqual(["SMnew"]);
});

it("deletes incidents 90 days after their end, with their deliveries, and no open one", async () => {
  await alert("POOL_LOW", ago(91));
  await alert("POOL_EMPTY", ago(89));
  await alert("SWEEP_FAILING", null);
  await deleteOldRows(test.db, logger);
  const left = await test.db.service.alert.findMany({ orderBy: { type: "asc" } });
  expect(left.map(({ type }) => type)).toEqual(["POOL_EMPTY", "SWEEP_FAILING"]);
  expect(await test.db.service.alertDelivery.count()).toBe(2);
});

it("deletes texts to unknown numbers after 90 days, however many there are", async () => {
  const unrouted = (_: unknown, index: number) => ({
    id: newId(),
    providerMessageId: `SM${index}`,
    sender: "+447700900456",
    recipient: "+447700900777",
    body: "x",
    receivedAt: ago(index === 0 ? 89 : 91),
  });
  await test.db.service.unroutedMessage.createMany({
    data: Array.from({ length: 2002 }, unrouted),
  });
  await deleteOldRows(test.db, logger);
  expect(await test.db.service.unroutedMessage.findMany()).toMatchObject([
    { providerMessageId: "SM0" },
  ]);
});

it("deletes what providers said about accounts and templates after 90 days", async () => {
  const notice = (days: number) => ({
    id: newId(),
    provider: "x",
    accountId: "1",
    field: "account_update",
    payload: {},
    digest: String(days),
    receivedAt: ago(days),
  });
  await test.db.service.providerNotice.createMany({ data: [notice(91), notice(89)] });
  await deleteOldRows(test.db, logger);
  const left = await test.db.service.providerNotice.findMany();
  expect(left.map(({ digest }) => digest)).toEqual(["89"]);
});

it("keeps the ids of an erased customer for as long as a provider repeats, and files for ever", async () => {
  const inbound = (id: string, kind: string, days: number) => ({
    id: newId(),
    direction: "INBOUND" as const,
    channel: "sms",
    kind,
    sender: "",
    recipient: "",
    body: "",
    status: "RECEIVED" as const,
    providerMessageId: id,
    createdAt: ago(days),
  });
  await test.db.service.message.createMany({
    data: [inbound("new", "erased", 7.9), inbound("old", "erased", 8.1)],
  });
  await test.db.service.message.create({
    data: {
      ...inbound("picture", "text", 5000),
      tenantId: demoTenant.id,
      files: {
        create: {
          id: newId(),
          tenantId: demoTenant.id,
          channel: "x",
          reference: "1",
          contentType: "image/jpeg",
          state: "FETCHED",
          createdAt: ago(5000),
        },
      },
    },
  });
  await deleteOldRows(test.db, logger);
  const left = await test.db.service.message.findMany({ orderBy: { providerMessageId: "asc" } });
  expect(left.map(({ providerMessageId }) => providerMessageId)).toEqual(["new", "picture"]);
  expect(await test.db.service.mediaFile.count()).toBe(1);
});

it("deletes settled texts to the founder after 90 days, and never what a customer was told", async () => {
  await message("old sent alert", "founder_alert", "SENT", 91);
  await message("old failed alert", "founder_alert", "FAILED", 91);
  await message("old dead alert", "founder_alert", "DEAD", 91);
  await message("new alert", "founder_alert", "SENT", 89);
  await message("customer's reply", "reply", "SENT", 5000);
  await deleteOldRows(test.db, logger);
  const left = await test.db.service.message.findMany({ orderBy: { id: "asc" } });
  expect(left.map(({ body }) => body)).toEqual(["old dead alert", "new alert", "customer's reply"]);
});
