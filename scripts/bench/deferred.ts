import { answeredOnce, describe } from "./answered-once.ts";
import { ingest } from "./b1-ingest.ts";
import { overhead } from "./b3-overhead.ts";
import type { Row } from "./results.ts";
import type { World } from "./world.ts";

/**
 * B1 and B3 of a gateway that stores a text, acknowledges it and answers later. The floor answers at once.
 *
 * @throws Error when a text is not answered once in the end
 */
export async function deferredAgainstFloor(
  world: World,
  wanted: { ingest: boolean; overhead: boolean },
  say: (line: string) => void,
): Promise<Row[]> {
  const floor = await world.start("bench_deferred_floor", new URL("./floor.ts", import.meta.url));
  const gateway = await world.start("bench_deferred", new URL("./gateway.ts", import.meta.url), {
    env: { SMS_PROCESSING: "deferred" },
  });
  const acceptedBefore = await world.accepted();
  const rows: Row[] = [];
  if (wanted.ingest) {
    const what = "deferred: texts acknowledged/s";
    rows.push(...(await ingest(world, gateway, floor, say, what)).map(named("B1D")));
  }
  if (wanted.overhead)
    rows.push(...(await overhead(world, gateway, floor, "deferred: ")).map(named("B3D")));
  await gateway.quiet();
  say(`  ${describe(await answeredOnce(world, gateway, acceptedBefore))}`);
  await gateway.stop();
  await floor.stop();
  return rows;
}

function named(bench: string): (row: Row) => Row {
  return (row) => ({ ...row, bench });
}
