import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import { createDatabase, type Database } from "@jobrun/db";
import { twilioNumbers, type ProviderNumbers } from "@jobrun/messaging";
import { expectedWebhooks } from "../src/numbers/provision.ts";
import { createWorld, DEMO_NUMBER, type World } from "./harness.ts";

export const BASE = "https://gateway.example.com";
export const OVERRIDES = "#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000";
export const SECOND = "+447700900001";
export const ELSEWHERE = "https://old.example.com/sms";
export const APPLICATION = "AP0123456789abcdef0123456789abcdef";
export const right = expectedWebhooks(BASE);

/** What provisioning works with; there once the tests run. */
export let world: World;
export let db: Database;
export let numbers: ProviderNumbers;
export const signal = new AbortController().signal;

/** One world for all tests of a file. Before each, both numbers are right and one is in the pool. */
export function useProvisionWorld(): void {
  beforeAll(async () => {
    world = await createWorld();
    const { simulator, database } = world;
    numbers = twilioNumbers({
      accountSid: simulator.accountSid,
      authTokens: [simulator.authToken],
      apiBaseUrl: simulator.twilioUrl,
    });
    db = createDatabase({
      url: database.url,
      poolSize: 4,
      queryTimeoutMs: 5_000,
      transactionTimeoutMs: 10_000,
      onQueryTimeout: () => {},
    });
  });

  afterAll(async () => {
    await db.close();
    await world.close();
  });

  beforeEach(async () => {
    await pool(DEMO_NUMBER);
    world.simulator.addNumber(DEMO_NUMBER, right);
    world.simulator.addNumber(SECOND, right);
    await world.query(`DELETE FROM "Alert"`);
  });
}

/** Makes these the numbers of the pool. */
export async function pool(...phoneNumbers: string[]): Promise<void> {
  await world.query(`DELETE FROM "TwilioNumberPool"`);
  for (const phoneNumber of phoneNumbers)
    await world.query(
      `INSERT INTO "TwilioNumberPool" ("phoneNumber", "role") VALUES ($1, 'SYSTEM')`,
      [phoneNumber],
    );
}

/** How the account has a number. */
export const atTwilio = (phoneNumber: string) =>
  world.simulator.numbers().find((number) => number.phoneNumber === phoneNumber);
