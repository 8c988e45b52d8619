import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { allocateNumber } from "../src/numbers/allocate.ts";
import { eventually } from "./eventually.ts";
import {
  ANNA,
  BEN,
  createOnboardingWorld,
  OPS_NUMBER,
  POOL,
  TO_CONFIRM,
  type OnboardingWorld,
  type SetTimer,
} from "./onboarding-world.ts";

const HOUR_MS = 60 * 60_000;

let world: OnboardingWorld;

beforeEach(async () => {
  world = await createOnboardingWorld();
});
afterEach(() => world.close());

describe("numbers", () => {
  it("two people who confirm at the same instant get two different ones", async () => {
    await world.addNumbers(POOL.slice(0, 2));
    await Promise.all([world.says(ANNA, TO_CONFIRM), world.says(BEN, TO_CONFIRM)]);
    await Promise.all([world.says(ANNA, ["yes"]), world.says(BEN, ["yes"])]);
    const tenants = await world.db.service.tenant.findMany({ include: { numbers: true } });
    expect(tenants.map(({ numbers }) => numbers.length)).toEqual([1, 1]);
    expect(tenants.flatMap(({ numbers }) => numbers.map((n) => n.phoneNumber)).toSorted()).toEqual(
      POOL.slice(0, 2),
    );
  });

  it("an empty pool keeps what they said, tells the founder, and goes on by itself, oldest first", async () => {
    await world.addNumbers([OPS_NUMBER]);
    await world.says(ANNA, [...TO_CONFIRM, "yes"]);
    await world.says(BEN, [...TO_CONFIRM, "yes", "are you there?"]);
    expect((await world.told(ANNA)).at(-1)).toMatch(/All our numbers are in use/);
    expect(await world.signUpOf(BEN)).toMatchObject({ state: "WAITING_FOR_NUMBER" });
    expect(await world.openAlerts()).toEqual(["POOL_EMPTY"]);
    // A reminder would ask them for something they cannot do.
    expect(world.timers.filter(({ phone }) => phone === BEN).at(-1)).toMatchObject({
      name: "onboarding_founder",
    });

    world.onboarding.start();
    await world.addNumbers(POOL.slice(0, 1));
    await eventually(
      () => world.signUpOf(ANNA),
      ({ state }) => state === "PHONE_TYPE",
    );
    expect((await world.told(ANNA)).at(-1)).toMatch(
      /^Good news: your number is ready.*\+447700900701/s,
    );
    expect(await world.signUpOf(BEN)).toMatchObject({ state: "WAITING_FOR_NUMBER" });
    await world.addNumbers(POOL.slice(1, 2));
    await eventually(
      () => world.signUpOf(BEN),
      ({ state }) => state === "PHONE_TYPE",
    );
    await world.says(ANNA, ["1", "done"]);
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "TEST_CALL" });
  });

  it("are not given to somebody who wants no texts while others wait", async () => {
    await world.says(ANNA, [...TO_CONFIRM, "yes", "STOP"]);
    await world.says(BEN, [...TO_CONFIRM, "yes"]);
    await world.addNumbers(POOL.slice(0, 1));
    world.onboarding.start();
    await eventually(
      () => world.signUpOf(BEN),
      ({ state }) => state === "PHONE_TYPE",
    );
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "WAITING_FOR_NUMBER" });
  });

  it("that is the gateway's own sender is never given away", async () => {
    await world.addNumbers([OPS_NUMBER]);
    const tenant = await world.db.service.tenant.create({
      data: { id: newId(), name: "A", operatorPhone: ANNA },
    });
    expect(
      await world.db.serviceTransaction((tx) => allocateNumber(tx, tenant.id, [OPS_NUMBER])),
    ).toBeNull();
  });
});

describe("somebody who stays in one state", () => {
  const timerOf = (name: string) =>
    world.timers.findLast((timer) => timer.name === name) as SetTimer;

  it("has timers for 2 h and 24 h from each change of state, and none for a wrong answer", async () => {
    await world.says(ANNA, ["hi"]);
    expect(world.timers.map(({ name, afterMs }) => [name, afterMs / HOUR_MS])).toEqual([
      ["onboarding_reminder", 2],
      ["onboarding_founder", 24],
    ]);
    await world.says(ANNA, ["plumber"]);
    expect(world.timers).toHaveLength(2);
    await world.says(ANNA, ["plumber, Leeds"]);
    expect(world.timers).toHaveLength(4);
    expect(new Set(world.timers.map(({ stateSince }) => stateSince)).size).toBe(2);
  });

  it("is reminded once, with the question, however often the timer fires", async () => {
    await world.says(ANNA, ["hi"]);
    const timer = timerOf("onboarding_reminder");
    await Promise.all([1, 2, 3].map(() => world.onboarding.timers.onboarding_reminder(timer)));
    const [, ...reminders] = await world.told(ANNA);
    expect(reminders).toEqual([expect.stringMatching(/^Still there\?.*What is your trade/s)]);
  });

  it("is not reminded of a state they have left, nor after STOP", async () => {
    await world.says(ANNA, ["hi"]);
    const passed = timerOf("onboarding_reminder");
    await world.says(ANNA, ["plumber, Leeds"]);
    await world.onboarding.timers.onboarding_reminder(passed);
    expect(await world.told(ANNA)).toHaveLength(2);
    await world.says(ANNA, ["STOP"]);
    await world.onboarding.timers.onboarding_reminder(timerOf("onboarding_reminder"));
    expect(await world.told(ANNA)).toHaveLength(2);
  });

  it("is told to the founder once, without personal data, and the alert ends when they go on", async () => {
    await world.says(ANNA, ["hi"]);
    const timer = timerOf("onboarding_founder");
    await world.onboarding.timers.onboarding_founder({
      ...timer,
      stateSince: "2026-01-01T00:00:00.000Z",
    });
    expect(await world.openAlerts()).toEqual([]);
    await world.onboarding.timers.onboarding_founder(timer);
    await world.onboarding.timers.onboarding_founder(timer);
    const [alert, ...others] = await world.db.service.alert.findMany();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ type: "ONBOARDING_STUCK", occurrences: 1, state: "OPEN" });
    expect(alert?.summary).not.toContain("900321");
    await world.says(ANNA, ["plumber, Leeds"]);
    await eventually(world.openAlerts, (open) => open.length === 0);
  });
});
