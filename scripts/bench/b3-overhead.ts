import { warmUp } from "./b1-ingest.ts";
import { drip } from "./load.ts";
import { quantile, type Row, spread } from "./results.ts";
import type { Subject, World } from "./world.ts";

const PER_SECOND = 50;
const ROUNDS = 3;
const ROUND_SECONDS = 5;

/**
 * B3: what a webhook takes besides the model, which answers at once here, at 50 a second.
 *
 * @param prefix of the names of the rows
 */
export async function overhead(
  world: World,
  gateway: Subject,
  floor: Subject,
  prefix = "",
): Promise<Row[]> {
  const times = { gateway: [] as number[], floor: [] as number[] };
  for (const subject of [floor, gateway]) await warmUp(world, subject);
  await gateway.quiet();
  for (let round = 1; round <= ROUNDS; round += 1) {
    times.floor.push(...(await drip(floor.url, world.texts, PER_SECOND, ROUND_SECONDS)));
    times.gateway.push(...(await drip(gateway.url, world.texts, PER_SECOND, ROUND_SECONDS)));
  }
  const row = (share: number, target: Row["target"]): Row => ({
    bench: "B3",
    what: `${prefix}webhook at ${PER_SECOND}/s, p${share * 100} ms`,
    gateway: spread([quantile(times.gateway, share)]),
    reference: spread([quantile(times.floor, share)]),
    target,
  });
  return [row(0.5, null), row(0.99, { atMost: 3 })];
}
