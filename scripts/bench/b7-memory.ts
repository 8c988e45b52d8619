import { setTimeout as sleep } from "node:timers/promises";
import { postMany, saturate } from "./load.ts";
import { quantile, type Row, spread } from "./results.ts";
import type { Subject, World } from "./world.ts";

const WEBHOOKS = 50_000;
const CONNECTIONS = 64;
const SAMPLE_EVERY = 2500;
const IN_FLIGHT = 1000;
/** They begin one after the other: a thousand at one moment would wait for the database, not for the model. */
const GROUPS = 10;
const GROUP_DELAY_MS = 1000;
/** Of each group; all are in flight from the last one's begin on. */
const IN_FLIGHT_SECONDS = 25;
const IN_FLIGHT_SAMPLE_MS = 500;
/** So slow that 1,000 in flight are what the gateway can do, and no webhook waits for the database. */
const MODEL_MS = 10_000;
/** Nobody gives up while the model is that slow. */
const env = { WEBHOOK_DEADLINE_MS: "40000", OPENAI_TIMEOUT_MS: "30000" };

const MOST_MB = 300;
/** What a leak of 400 bytes a webhook would be; the heap moves by more between two samples. */
const MOST_GROWTH_MB = 4;

/** B7: the resident set of one process over 50,000 webhooks, and with 1,000 of them waiting for the model. */
export async function memory(world: World, say: (line: string) => void): Promise<Row[]> {
  const gateway = await world.start("bench_memory", new URL("./gateway.ts", import.meta.url), {
    env,
  });
  // Each receipt is a connection of its own: two to a text, and this machine's ports would be used up
  // before the kernel gives the first ones back.
  await world.setFaults({ receipts: false });
  const samples: number[] = [];
  for (let posted = SAMPLE_EVERY; posted <= WEBHOOKS; posted += SAMPLE_EVERY) {
    const load = await postMany(gateway.url, world.texts, CONNECTIONS, SAMPLE_EVERY);
    if (load.failed > 0)
      throw new Error(`${load.failed} webhooks got no 200: ${load.samples.join(" | ")}`);
    samples.push(await sample(gateway, say, `${posted.toLocaleString("en")} webhooks`));
  }
  await gateway.quiet();
  const inFlight = await withManyInFlight(world, gateway);
  await sample(gateway, say, `${IN_FLIGHT.toLocaleString("en")} in flight, afterwards`);
  await gateway.quiet();
  await gateway.stop();
  await world.setFaults({ receipts: true });
  const row = (what: string, value: number, atMost: number): Row => ({
    bench: "B7",
    what,
    gateway: spread([value]),
    reference: null,
    target: { atMost },
  });
  const secondHalf = samples.slice(samples.length / 2);
  return [
    row("most in 50,000 webhooks, MB", quantile(samples, 1), MOST_MB),
    row("most with 1,000 in flight, MB", quantile(inFlight, 1), MOST_MB),
    row(
      "growth in the second 25,000, MB per 10,000",
      (slope(secondHalf) * 10_000) / SAMPLE_EVERY,
      MOST_GROWTH_MB,
    ),
  ];
}

async function withManyInFlight(world: World, gateway: Subject): Promise<number[]> {
  const samples: number[] = [];
  await world.setFaults({ modelDelayMs: MODEL_MS });
  const watch = setInterval(
    () => void gateway.memory().then(({ rss }) => samples.push(megabytes(rss))),
    IN_FLIGHT_SAMPLE_MS,
  );
  try {
    const loads = await Promise.all(
      Array.from({ length: GROUPS }, async (_, group) => {
        await sleep(group * GROUP_DELAY_MS);
        return saturate([gateway.url], world.texts, IN_FLIGHT / GROUPS, IN_FLIGHT_SECONDS);
      }),
    );
    for (const { failed, samples: failures } of loads)
      if (failed > 0) throw new Error(`${failed} webhooks got no 200: ${failures.join(" | ")}`);
  } finally {
    clearInterval(watch);
    await world.setFaults({ modelDelayMs: 0 });
  }
  return samples;
}

/** @returns the resident set, MB */
async function sample(
  gateway: Subject,
  say: (line: string) => void,
  when: string,
): Promise<number> {
  const { rss, heapUsed, external } = await gateway.memory();
  const [resident, heap, outside] = [rss, heapUsed, external].map(megabytes);
  say(
    `  ${when}: ${resident?.toFixed(0)} MB, of it heap in use ${heap?.toFixed(0)} and external ${outside?.toFixed(0)}`,
  );
  return resident ?? Number.NaN;
}

function megabytes(bytes: number): number {
  return bytes / 2 ** 20;
}

/** Of the line that fits best, per step. */
function slope(values: number[]): number {
  const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [x, y] = [mean([...values.keys()]), mean(values)];
  const rise = values.reduce((sum, value, index) => sum + (index - x) * (value - y), 0);
  const run = values.reduce((sum, _, index) => sum + (index - x) ** 2, 0);
  return rise / run;
}
