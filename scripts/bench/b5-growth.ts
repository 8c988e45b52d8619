import { measure, warmUp } from "./b1-ingest.ts";
import { fillStored } from "./b5-fill.ts";
import { type Row, spread } from "./results.ts";
import type { World } from "./world.ts";

const PAIRS = 5;
const EMPTY_FIRST = ["empty", "full"] as const;

/**
 * B5: B1 with a million messages stored against B1 empty. The customers of the load are new in both,
 * so that a text is the same work and only what lies beside it differs.
 */
export async function growth(world: World, say: (line: string) => void): Promise<Row[]> {
  const file = new URL("./gateway.ts", import.meta.url);
  const subjects = {
    empty: await world.start("bench_empty", file),
    full: await world.start("bench_full", file, { fill: (query) => fillStored(query, say) }),
  };
  const rates = { empty: [] as number[], full: [] as number[] };
  for (const kind of EMPTY_FIRST) {
    await warmUp(world, subjects[kind]);
    await subjects[kind].quiet();
  }
  for (let pair = 1; pair <= PAIRS; pair += 1) {
    // Whoever comes first in one pair comes last in the next, so that a drift meets both.
    for (const kind of pair % 2 === 1 ? EMPTY_FIRST : EMPTY_FIRST.toReversed()) {
      rates[kind].push(await measure(world, subjects[kind]));
      await subjects[kind].quiet();
    }
    say(
      `  pair ${pair}: empty ${rates.empty.at(-1)?.toFixed(0)}/s, full ${rates.full.at(-1)?.toFixed(0)}/s`,
    );
  }
  await subjects.empty.stop();
  await subjects.full.stop();
  return [
    {
      bench: "B5",
      what: "ingest with 1,000,000 messages stored, texts/s",
      gateway: spread(rates.full),
      reference: spread(rates.empty),
      target: { atLeast: 0.9 },
    },
  ];
}
