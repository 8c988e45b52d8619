import { describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { applyPendingReceipts } from "../src/outbound/receipts.ts";
import { eventually } from "./eventually.ts";
import { db, insertText, newSid, report, row, useReceiptsWorld, world } from "./receipts-world.ts";

useReceiptsWorld();

const pending = (sid: string) =>
  world.query(
    'SELECT "status", "messageId" FROM "PendingReceipt" WHERE "providerMessageId" = $1 ORDER BY "status"',
    [sid],
  );

/** Every non-empty choice of the values, in every order. */
function arrangements<T>(values: readonly T[]): T[][] {
  return values.flatMap((value, index) => [
    [value],
    ...arrangements(values.toSpliced(index, 1)).map((rest) => [value, ...rest]),
  ]);
}

describe("receipts in every order, each of them twice, leave a text", () => {
  const all = arrangements(["sent", "failed", "delivered", "read"]);
  const has = (...words: string[]) =>
    all.filter((order) => words.every((word) => order.includes(word)));
  const without = (orders: string[][], ...words: string[]) =>
    orders.filter((order) => !words.some((word) => order.includes(word)));

  it.each([
    { end: "READ", when: "it was read", orders: has("read") },
    {
      end: "DELIVERED",
      when: "it was delivered, whatever failed on the way",
      orders: without(has("delivered"), "read"),
    },
    {
      end: "FAILED",
      when: "nobody has it in hand",
      orders: without(has("failed"), "delivered", "read"),
    },
    { end: "SENT", when: "there is nothing but that", orders: [["sent"]] },
  ])("$end when $when", async ({ end, orders }) => {
    const ends = await Promise.all(
      orders.map(async (order) => {
        const sid = newSid();
        const m = await insertText({ status: "UNKNOWN" });
        for (const status of [...order, ...order]) {
          const code = status === "failed" ? { code: "30003" } : {};
          expect(await report({ sid, status, m, ...code })).toMatchObject({
            status: 204,
            body: "",
          });
        }
        return { order, end: await row(m), sid };
      }),
    );
    expect(ends.length).toBeGreaterThan(0);
    for (const { sid, ...actual } of ends)
      expect(actual).toEqual({
        order: actual.order,
        end: {
          status: end,
          providerMessageId: sid,
          errorCode: end === "FAILED" ? "30003" : null,
          sent: true,
          unknownSince: null,
          leasedUntil: null,
        },
      });
  });

  it("as the highest of them says when they come at the same instant", async () => {
    const sid = newSid();
    const m = await insertText({ status: "SENDING" });
    const words = ["sent", "failed", "delivered", "read"];
    const answers = await Promise.all(
      [...words, ...words].map((status) => report({ sid, status, m })),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 204));
    expect(await row(m)).toMatchObject({
      status: "READ",
      providerMessageId: sid,
      leasedUntil: null,
    });
  });
});

describe("a receipt finds its text", () => {
  it("by our id before the text knows its provider's id, and by that afterwards", async () => {
    const sid = newSid();
    const m = await insertText({ status: "SENDING" });
    await report({ sid, status: "sent", m });
    expect(await row(m)).toMatchObject({ status: "SENT", providerMessageId: sid, sent: true });
    await report({ sid, status: "delivered" });
    expect(await row(m)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
  });

  it.each(["QUEUED", "DEAD", "FAILED"])("also when it is %s already", async (status) => {
    const sid = newSid();
    const m = await insertText({ status, errorCode: "timeout" });
    await report({ sid, status: "delivered", m });
    expect(await row(m)).toMatchObject({
      status: "DELIVERED",
      providerMessageId: sid,
      errorCode: null,
    });
  });

  it("by the provider's id first: the text with our id is left alone", async () => {
    const sid = newSid();
    const m = await insertText({ status: "FAILED", errorCode: "21211" });
    const known = await insertText({ providerMessageId: sid });
    const before = await row(m);
    expect((await report({ sid, status: "delivered", m })).status).toBe(204);
    expect(await row(known)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
    expect(await row(m)).toEqual(before);
  });

  it("and never a customer's text that has the id", async () => {
    const sid = newSid();
    const inbound = await insertText({
      direction: "INBOUND",
      status: "RECEIVED",
      providerMessageId: sid,
    });
    const m = await insertText({ status: "FAILED" });
    expect((await report({ sid, status: "delivered", m })).status).toBe(204);
    expect(await row(inbound)).toMatchObject({ status: "RECEIVED" });
    expect(await row(m)).toMatchObject({ status: "FAILED", providerMessageId: null });
  });
});

describe("a receipt whose text is not known yet", () => {
  it("is kept once, and applied in rank when the text appears", async () => {
    const sid = newSid();
    for (const status of ["delivered", "sent", "delivered"])
      expect((await report({ sid, status })).status).toBe(204);
    expect(await pending(sid)).toEqual([
      { status: "SENT", messageId: null },
      { status: "DELIVERED", messageId: null },
    ]);
    const id = await insertText({ status: "SENT", providerMessageId: sid });
    await settlePending(sid);
    expect(await row(id)).toMatchObject({ status: "DELIVERED" });
  });

  it("is applied by our id too", async () => {
    const sid = newSid();
    const messageId = newId();
    await report({ sid, status: "delivered", m: messageId });
    expect(await pending(sid)).toEqual([{ status: "DELIVERED", messageId }]);
    await insertText({ id: messageId, status: "UNKNOWN" });
    await settlePending(sid);
    expect(await row(messageId)).toMatchObject({ status: "DELIVERED", providerMessageId: sid });
  });

  it("is forgotten after an hour, and not before", async () => {
    const [old, recent] = [newSid(), newSid()];
    for (const sid of [old, recent]) await report({ sid, status: "delivered" });
    const age = `UPDATE "PendingReceipt" SET "receivedAt" = now() - $1::interval WHERE "providerMessageId" = $2`;
    await world.query(age, ["61 minutes", old]);
    await world.query(age, ["59 minutes", recent]);
    await settlePending(old);
    expect(await pending(recent)).toHaveLength(1);
  });
});

/** Resolves when a settle, this one or the worker's own at this moment, has dealt with the receipts of that id. */
async function settlePending(sid: string): Promise<void> {
  await applyPendingReceipts(db);
  await eventually(
    () => pending(sid),
    (rows) => rows.length === 0,
  );
}
