import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import {
  ANNA,
  BEN,
  createOnboardingWorld,
  POOL,
  SIGN_UP_NUMBER,
  TO_CONFIRM,
  TO_TEST_CALL,
  type OnboardingWorld,
} from "./onboarding-world.ts";

let world: OnboardingWorld;

beforeEach(async () => {
  world = await createOnboardingWorld();
});
afterEach(() => world.close());

describe("a sign-up", () => {
  it("leads from the first text to a tenant with what they said and a number of their own", async () => {
    await world.addNumbers(POOL);
    await world.says(ANNA, TO_TEST_CALL);

    const [tenant, ...others] = await world.db.service.tenant.findMany({
      include: { numbers: true },
    });
    expect(others).toEqual([]);
    expect(tenant).toMatchObject({
      name: "Pipes & Co",
      trade: "plumber",
      place: "Leeds",
      ownerName: "Anna",
      operatorPhone: ANNA,
      locale: "en",
      region: "GB",
      numbers: [{ phoneNumber: POOL[0], role: "OPERATIONAL", callHandling: "NOTICE" }],
    });
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "TEST_CALL", tenantId: tenant?.id });
    const texts = await world.told(ANNA);
    expect(texts).toHaveLength(TO_TEST_CALL.length);
    expect(texts[0]).toMatch(/^Welcome to JobRun!.*What is your trade/s);
    expect(texts.at(-2)).toContain(`**61*${POOL[0]}#`);
    expect(texts.at(-1)).toContain("test");
  });

  it("ends with the test call, in the transaction of the missed call and once", async () => {
    await world.addNumbers(POOL);
    await world.says(ANNA, TO_TEST_CALL);
    const { tenantId } = await world.signUpOf(ANNA);
    const call = (number: string) =>
      world.db.tenantTransaction(tenantId ?? "", (tx) =>
        world.onboarding.completeTestCall(tx, { number, requestId: newId() }),
      );
    expect(await call(POOL[1])).toBeNull();
    expect(await call(POOL[0])).not.toBeNull();
    expect(await call(POOL[0])).toBeNull();
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "COMPLETE" });
    expect((await world.told(ANNA)).at(-1)).toMatch(/you are live! \+447700900701 /);

    // From then on every text gets the same short answer, and nothing restarts.
    await world.says(ANNA, ["RESTART"]);
    expect((await world.told(ANNA)).at(-1)).toContain(`live with ${POOL[0]}`);
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "COMPLETE" });
  });

  it("is not ended by a call before its last step", async () => {
    await world.addNumbers(POOL);
    await world.says(ANNA, TO_TEST_CALL.slice(0, -1));
    const { tenantId } = await world.signUpOf(ANNA);
    const call = { number: POOL[0], requestId: newId() };
    expect(
      await world.db.tenantTransaction(tenantId ?? "", (tx) =>
        world.onboarding.completeTestCall(tx, call),
      ),
    ).toBeNull();
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "FORWARDING" });
  });

  it("can be corrected after the number was given: the tenant and its number stay", async () => {
    await world.addNumbers(POOL);
    await world.says(ANNA, [...TO_TEST_CALL, "RESTART", "roofer, York", "Top Tiles", "Ann"]);
    await world.says(ANNA, ["+447700900999", "yes"]);
    expect(await world.db.service.tenant.findMany({ include: { numbers: true } })).toMatchObject([
      { name: "Top Tiles", operatorPhone: "+447700900999", numbers: [{ phoneNumber: POOL[0] }] },
    ]);
    await world.says(ANNA, ["BACK", "BACK", BEN, "yes"]);
    expect(await world.db.service.tenant.findMany()).toMatchObject([{ operatorPhone: BEN }]);
    expect((await world.told(ANNA)).at(-1)).toContain(`Your JobRun number is ${POOL[0]}`);
  });

  it("does not let alerts be sent to a number of ours", async () => {
    await world.says(ANNA, [...TO_CONFIRM.slice(0, -1), SIGN_UP_NUMBER]);
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "ALERT_PHONE" });
    expect((await world.told(ANNA)).at(-1)).toMatch(/^Sorry, that is not a number/);
  });

  it("speaks French to a French number", async () => {
    await world.addNumbers(POOL);
    const CHLOE = "+33639980000";
    await world.says(CHLOE, [
      "bonjour",
      "plombier à Lyon",
      "Eau Claire",
      "Chloé",
      "06 39 98 01 23",
      "oui",
    ]);
    expect(await world.db.service.tenant.findMany()).toMatchObject([
      { operatorPhone: "+33639980123", locale: "fr", region: "FR", timeZone: "Europe/Paris" },
    ]);
    expect((await world.told(CHLOE))[0]).toMatch(/^Bienvenue/);
  });

  it("answers nobody who cannot sign up, such as a short code", async () => {
    await world.says("60777", ["WIN BIG"]);
    expect(await world.db.service.onboardingState.count()).toBe(0);
    expect(await world.db.service.message.findMany()).toMatchObject([{ kind: "onboarding_text" }]);
  });

  it("stays when its person texts STOP, and says nothing until START", async () => {
    await world.says(ANNA, ["hi", "plumber, Leeds", "STOP", "Pipes & Co"]);
    expect(await world.told(ANNA)).toHaveLength(2);
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "BUSINESS_NAME" });
    await world.says(ANNA, ["START", "Pipes & Co"]);
    expect((await world.told(ANNA)).slice(2)).toEqual([
      "What is your business called? Your customers will see this name.",
      "And what is your own name?",
    ]);
  });

  it("leaves no personal data in the log", async () => {
    await world.addNumbers(POOL);
    await world.says(ANNA, TO_TEST_CALL);
    expect(world.log()).toContain("message_queued");
    expect(world.log()).not.toMatch(/7700900|Pipes|Leeds|Anna/);
  });
});

describe("a text", () => {
  it("that comes twice is taken once, also at the same instant", async () => {
    await world.says(ANNA, ["hi"]);
    const results = await Promise.all(
      [1, 2, 3].map(() => world.text(ANNA, "plumber, Leeds", "SMtwice")),
    );
    expect(results.map(({ kind }) => kind).toSorted()).toEqual([
      "committed",
      "duplicate",
      "duplicate",
    ]);
    expect(await world.text(ANNA, "plumber, Leeds", "SMtwice")).toEqual({ kind: "duplicate" });
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "BUSINESS_NAME", revision: 3 });
    expect(await world.told(ANNA)).toHaveLength(2);
  });

  it("waits for the one before: ten first texts at once begin one sign-up", async () => {
    const results = await Promise.all(
      Array.from({ length: 10 }, () => world.text(ANNA, "plumber, Leeds")),
    );
    expect(results.map(({ kind }) => kind)).toEqual(results.map(() => "committed"));
    // One greeting, and nine answers, each to the question of its turn.
    expect((await world.told(ANNA)).filter((body) => body.startsWith("Welcome"))).toHaveLength(1);
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "ALERT_PHONE", revision: 11 });
  });

  it("writes nothing when the database fails half-way, and can be tried again", async () => {
    await world.addNumbers(POOL);
    await world.says(ANNA, TO_CONFIRM);
    const broken = world.withoutTimers();
    expect(await world.text(ANNA, "yes", "SMagain", broken)).toEqual({ kind: "failed" });
    expect(await world.db.service.tenant.count()).toBe(0);
    expect(await world.db.service.twilioNumber.count({ where: { role: "OPERATIONAL" } })).toBe(0);
    expect(await world.text(ANNA, "yes", "SMagain")).toEqual({ kind: "committed" });
    expect(await world.signUpOf(ANNA)).toMatchObject({ state: "PHONE_TYPE" });
  });
});
