import { saturate } from "./load.ts";
import { type Row, spread } from "./results.ts";
import type { Subject, World } from "./world.ts";

const CONNECTIONS = 64;
const WARM_UP_SECONDS = 4;
const ROUNDS = 3;
const ROUND_SECONDS = 5;
/** More than any server here answers in a round. */
const PREPARED = 10_000;

/**
 * B1: signed inbound texts per second, the model answering at once. Rounds alternate, so that noise meets both.
 *
 * @param what the name of the row
 */
export async function ingest(
  world: World,
  gateway: Subject,
  floor: Subject,
  say: (line: string) => void,
  what = "ingest, texts/s",
): Promise<Row[]> {
  const rates = { gateway: [] as number[], floor: [] as number[] };
  for (const subject of [floor, gateway]) {
    await warmUp(world, subject);
    if (subject === gateway) await gateway.quiet();
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    rates.floor.push(await measure(world, floor));
    rates.gateway.push(await measure(world, gateway));
    const left = await gateway.unsettled();
    const started = performance.now();
    // What the gateway still has to answer and to send would slow the floor's next round down.
    await gateway.quiet();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(
      `  round ${round}: floor ${rates.floor.at(-1)?.toFixed(0)}/s, gateway ${rates.gateway.at(-1)?.toFixed(0)}/s; ${left} texts were left to answer or to send, done ${seconds} s later`,
    );
  }
  return [
    {
      bench: "B1",
      what,
      gateway: spread(rates.gateway),
      reference: spread(rates.floor),
      target: { atLeast: 0.5 },
    },
  ];
}

/**
 * One round of B1 against one subject.
 *
 * @returns texts answered with a 200, per second
 * @throws Error when one was answered otherwise, or was not stored
 */
export async function measure({ texts }: World, subject: Subject): Promise<number> {
  texts.prepare(PREPARED, subject.urls);
  const before = await subject.stored();
  const load = await saturate(subject.urls, texts, CONNECTIONS, ROUND_SECONDS);
  const stored = (await subject.stored()) - before;
  if (load.failed > 0)
    throw new Error(
      `${subject.name}: ${load.failed} webhooks got no 200, among them: ${load.samples.join(" | ")}`,
    );
  if (stored < load.ok)
    throw new Error(`${load.ok} webhooks were answered with a 200 and ${stored} texts are stored`);
  return load.ok / load.seconds;
}

/** Load that is not measured: connections, compiled code and plans are what they are in the long run. */
export async function warmUp({ texts }: World, subject: Subject): Promise<void> {
  await saturate(subject.urls, texts, CONNECTIONS, WARM_UP_SECONDS);
}
