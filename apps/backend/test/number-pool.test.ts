import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { allocateNumber } from "../src/numbers/allocate.ts";
import { poolSignals, poolWatch } from "../src/numbers/pool-watch.ts";
import { poolState } from "../src/numbers/pool.ts";
import { releaseNumber } from "../src/numbers/release.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { eventually } from "./eventually.ts";
import { openTestDatabase, type OpenTestDatabase } from "./open-test-database.ts";

const NUMBERS = ["+447700900701", "+447700900702", "+447700900703"] as const;
const [OLDEST, MIDDLE, NEWEST] = NUMBERS;

let test: OpenTestDatabase;
let tenantId: string;

beforeAll(async () => {
  test = await openTestDatabase();
});
afterAll(() => test.close());

beforeEach(async () => {
  await test.db.service.twilioNumber.deleteMany();
  tenantId = newId();
  await test.db.service.tenant.create({
    data: { id: tenantId, name: "A", operatorPhone: "+447700900321" },
  });
});
afterEach(async () => {
  await test.db.service.twilioNumber.deleteMany();
});

/** Added newest first, so that age and order of insertion differ. */
async function fill(): Promise<void> {
  for (const [age, phoneNumber] of [...NUMBERS.entries()].toReversed())
    await test.db.service.twilioNumber.create({
      data: { phoneNumber, createdAt: new Date(Date.UTC(2026, 0, 1 + age)) },
    });
}

const allocate = (excluded: string[] = []) =>
  test.db.serviceTransaction((tx) => allocateNumber(tx, tenantId, excluded));
const release = (phoneNumber: string) =>
  test.db.serviceTransaction((tx) => releaseNumber(tx, phoneNumber));
const releasedDaysAgo = (phoneNumber: string, days: number) =>
  test.db.service.twilioNumber.update({
    where: { phoneNumber },
    data: { releasedAt: new Date(Date.now() - days * 24 * 60 * 60_000) },
  });

describe("allocation", () => {
  it("takes the oldest number, in one step with its tenant", async () => {
    await fill();
    expect(await allocate()).toBe(OLDEST);
    expect(
      await test.db.service.twilioNumber.findUnique({ where: { phoneNumber: OLDEST } }),
    ).toMatchObject({ role: "OPERATIONAL", tenantId });
    expect(await allocate()).toBe(MIDDLE);
  });

  it("gives nobody a number that is reserved, excluded, or for something else", async () => {
    await fill();
    await test.db.service.twilioNumber.update({
      where: { phoneNumber: OLDEST },
      data: { reserved: true },
    });
    await test.db.service.twilioNumber.update({
      where: { phoneNumber: NEWEST },
      data: { role: "ONBOARDING" },
    });
    expect(await allocate([MIDDLE])).toBeNull();
    expect(await poolState(test.db.service, [MIDDLE])).toEqual({ available: 0, signUpsOpen: true });
    expect(await allocate()).toBe(MIDDLE);
  });

  it("at the same instant takes different numbers, and none twice", async () => {
    await fill();
    const given = await Promise.all(Array.from({ length: 4 }, () => allocate()));
    expect(given.filter((number) => number !== null).toSorted()).toEqual([...NUMBERS]);
  });

  it("that is rolled back leaves the number in the pool", async () => {
    await fill();
    const failing = test.db.serviceTransaction(async (tx) => {
      await allocateNumber(tx, tenantId, []);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await poolState(test.db.service, [])).toMatchObject({ available: 3 });
  });
});

describe("a released number", () => {
  it("belongs to nobody at once and rests for 30 days", async () => {
    await fill();
    await allocate();
    expect(await release(OLDEST)).toBe(true);
    expect(
      await test.db.service.twilioNumber.findUnique({ where: { phoneNumber: OLDEST } }),
    ).toMatchObject({ role: "SYSTEM", tenantId: null, releasedAt: expect.any(Date) });
    expect(await poolState(test.db.service, [])).toMatchObject({ available: 2 });

    await releasedDaysAgo(OLDEST, 29.9);
    expect(await allocate()).toBe(MIDDLE);
    await releasedDaysAgo(OLDEST, 30.1);
    expect(await allocate()).toBe(OLDEST);
  });

  it("is not released again, which would begin its rest anew", async () => {
    await fill();
    expect(await release(OLDEST)).toBe(false);
    expect(await release("+447700900999")).toBe(false);
    expect(await poolState(test.db.service, [])).toMatchObject({ available: 3 });
  });
});

describe("the founder", () => {
  it("hears of an empty pool, of a low one, and of one that was filled, without a restart", async () => {
    const open = new Set<string>();
    const watch = poolWatch({
      db: test.db,
      alerts: {
        raise: async ({ type }) => void open.add(type),
        resolve: async (type) => void open.delete(type),
      },
      logger: createLogger({ level: "error", pretty: false }),
      excluded: [],
    });
    const look = (until: string) => {
      watch.wake();
      return eventually(
        async () => [...open].join(),
        (types) => types === until,
      );
    };
    await test.db.service.twilioNumber.create({
      data: { phoneNumber: "+447700900001", role: "ONBOARDING" },
    });
    watch.start();
    expect(await look("POOL_EMPTY")).toBe("POOL_EMPTY");
    await test.db.service.twilioNumber.create({ data: { phoneNumber: OLDEST } });
    expect(await look("POOL_LOW")).toBe("POOL_LOW");
    await test.db.service.twilioNumber.createMany({
      data: [{ phoneNumber: MIDDLE }, { phoneNumber: NEWEST }],
    });
    expect(await look("")).toBe("");
    await watch.stop();
  });

  const active = (available: number, signUpsOpen = true) =>
    poolSignals({ available, signUpsOpen })
      .filter((signal) => signal.active)
      .map(({ type }) => type);

  it("is told when fewer than 3 numbers are left, and when none is", () => {
    expect(active(3)).toEqual([]);
    expect(active(2)).toEqual(["POOL_LOW"]);
    expect(active(1)).toEqual(["POOL_LOW"]);
    expect(active(0)).toEqual(["POOL_EMPTY"]);
  });

  it("is not told where nobody can sign up", async () => {
    expect(active(0, false)).toEqual([]);
    expect(await poolState(test.db.service, [])).toEqual({ available: 0, signUpsOpen: false });
  });
});
