import { describe, expect, it } from "@jest/globals";
import { QuotaGate, type Round } from "./quota-gate.ts";

const TENANT = "019a0000-0000-7000-8000-000000000001";
const inTime = new AbortController().signal;

/** Whether it has not resolved once everything that can go on has gone on. */
async function waits(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const later = new Promise((resolve) => setImmediate(resolve, pending));
  return (await Promise.race([promise, later])) === pending;
}

function openThree(gate: QuotaGate): [Round, Round, Round] {
  return [gate.open(TENANT), gate.open(TENANT), gate.open(TENANT)];
}

describe("the gate of a quota", () => {
  it("lets in as many as answers are left; the next waits until one ends, and then looks again", async () => {
    const [one, two, three] = openThree(new QuotaGate());
    expect(await one.enter(2, inTime)).toBe(true);
    expect(await two.enter(2, inTime)).toBe(true);
    const third = three.enter(2, inTime);
    expect(await waits(third)).toBe(true);
    one.close();
    expect(await third).toBe(false);
  });

  it("lets nobody wait when nobody is left to wait for", async () => {
    const gate = new QuotaGate();
    const [one, two, three] = openThree(gate);
    expect(await one.enter(1, inTime)).toBe(true);
    const waiting = [two.enter(1, inTime), three.enter(1, inTime)];
    one.close();
    expect(await Promise.all(waiting)).toEqual([false, false]);
  });

  it("does not trust a view that was read before another ended", async () => {
    const gate = new QuotaGate();
    const [one, two] = openThree(gate);
    expect(await one.enter(1, inTime)).toBe(true);
    one.close();
    expect(await two.enter(1, inTime)).toBe(false);
    expect(await gate.open(TENANT).enter(1, inTime)).toBe(true);
  });

  it("gives the place of one who ends without an answer to the next", async () => {
    const gate = new QuotaGate();
    const failing = gate.open(TENANT);
    await failing.enter(1, inTime);
    const next = gate.open(TENANT);
    const first = next.enter(1, inTime);
    failing.close();
    expect(await first).toBe(false);
    next.close();
    expect(await gate.open(TENANT).enter(1, inTime)).toBe(true);
  });

  it("holds up nobody without limit, nor another tenant", async () => {
    const gate = new QuotaGate();
    for (let round = 0; round < 100; round += 1)
      expect(await gate.open(TENANT).enter(Infinity, inTime)).toBe(true);
    expect(await gate.open("another").enter(1, inTime)).toBe(true);
  });

  it("ends the wait of those whose time is up", async () => {
    const gate = new QuotaGate();
    await gate.open(TENANT).enter(1, inTime);
    const time = new AbortController();
    const late = gate.open(TENANT).enter(1, time.signal);
    time.abort();
    await expect(late).rejects.toMatchObject({ errorClass: "timeout" });
    await expect(gate.open(TENANT).enter(1, time.signal)).rejects.toMatchObject({
      errorClass: "timeout",
    });
  });
});
