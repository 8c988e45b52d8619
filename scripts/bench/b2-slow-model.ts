import { saturate } from "./load.ts";
import { type Row, spread } from "./results.ts";
import type { World } from "./world.ts";

const IN_FLIGHT = 300;
const MODEL_MS = 1000;
const SECONDS = 10;
const PREPARED = 5000;

/** B2: committed texts per second while the model takes a second, with 300 in flight and 10 connections. */
export async function slowModel(world: World, say: (line: string) => void): Promise<Row[]> {
  const gateway = await measure(
    world,
    "bench_slow_gateway",
    new URL("./gateway.ts", import.meta.url),
  );
  say(`  model between the transactions: ${gateway.toFixed(1)}/s`);
  const inside = await measure(
    world,
    "bench_slow_inside",
    new URL("./model-inside-transaction.ts", import.meta.url),
  );
  say(`  model inside the transaction: ${inside.toFixed(1)}/s`);
  return [
    {
      bench: "B2",
      what: "300 in flight, model 1 s, texts/s",
      gateway: spread([gateway]),
      reference: spread([inside]),
      target: { atLeast: 20 },
    },
  ];
}

async function measure(world: World, name: string, file: URL): Promise<number> {
  const subject = await world.start(name, file);
  try {
    await saturate(subject.urls, world.texts, 10, 2);
    await world.setFaults({ modelDelayMs: MODEL_MS });
    world.texts.prepare(PREPARED, subject.urls);
    const before = await subject.stored();
    const { seconds } = await saturate(subject.urls, world.texts, IN_FLIGHT, SECONDS);
    return ((await subject.stored()) - before) / seconds;
  } finally {
    await world.setFaults({ modelDelayMs: 0 });
    await subject.stop();
  }
}
