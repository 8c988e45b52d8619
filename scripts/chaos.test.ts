import { describe, expect, it } from "@jest/globals";
import { createTestDatabase } from "@jobrun/db/testing";
import { type ControlName, controls } from "./chaos/controls.ts";
import { type ChaosResult, runChaos } from "./chaos/run.ts";
import { shortened } from "./chaos/timings.ts";
import { checks } from "./chaos/verify.ts";
import type { Processing } from "./chaos/world.ts";

/** On a machine that does nothing else it takes a quarter of this. */
const LIMIT_MS = 240_000;

async function run(
  control: ControlName | null,
  processing: Processing = "sync",
): Promise<ChaosResult> {
  const database = await createTestDatabase();
  const stop = new AbortController();
  try {
    return await runChaos({
      messages: 120,
      kills: 4,
      processes: 2,
      processing,
      seed: 7,
      outages: false,
      control,
      timings: shortened(0.1),
      databaseUrl: database.url,
      signal: stop.signal,
      say: () => {},
    });
  } finally {
    stop.abort();
    await database.drop();
  }
}

describe("two gateways on one database, killed at random, with a provider that misbehaves", () => {
  it.each(["sync", "deferred"] as const)(
    "loses nothing, doubles nothing, keeps the order and leaves nothing undecided: %s",
    async (processing) => {
      const { findings } = await run(null, processing);
      const nothing = Object.fromEntries(Object.keys(checks).map((name) => [name, []]));
      expect(findings).toEqual(nothing);
    },
    LIMIT_MS,
  );

  it.each(Object.keys(controls) as ControlName[])(
    "is seen to fail when its guard is taken away: %s",
    async (control) => {
      const { findings } = await run(control);
      expect(findings[controls[control].breaks]).not.toEqual([]);
    },
    LIMIT_MS,
  );
});
