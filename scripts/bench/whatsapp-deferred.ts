import { Agent } from "node:http";
import { answeredOnce, describe } from "./answered-once.ts";
import { drip, postOne } from "./load.ts";
import { quantile, type Row, spread } from "./results.ts";
import type { World } from "./world.ts";

const MODEL_MS = 2000;
const SECONDS = 15;
const MESSAGES_PER_SECOND = 50;
const BATCH = 10;
/** Meta sends no more in one webhook. */
const LARGEST_BATCH = 1000;
const MEDIAN_MS = 250;
const SLOW_MS = 1000;
const SLOW_PERCENT = 1;

/**
 * What Meta asks of a webhook, a median of 250 ms and less than 1 % over 1 s
 * (https://docs.360dialog.com/partner/messaging/receiving-messages-via-webhook), while the model takes
 * 2 s: one message a webhook, ten, and once a thousand.
 *
 * @throws Error when a message has not exactly one reply in the end
 */
export async function whatsAppDeferred(world: World, say: (line: string) => void): Promise<Row[]> {
  const gateway = await world.start("bench_whatsapp", new URL("./gateway.ts", import.meta.url), {
    env: { WHATSAPP_PROCESSING: "deferred" },
  });
  await world.reportTo(gateway);
  const acceptedBefore = await world.accepted();
  const source = (size: number) => world.whatsAppTexts.batchesOf(size);
  await drip(gateway.url, source(1), MESSAGES_PER_SECOND, 2);
  await gateway.quiet();
  await world.setFaults({ modelDelayMs: MODEL_MS });
  try {
    const singles = await drip(gateway.url, source(1), MESSAGES_PER_SECOND, SECONDS);
    await gateway.quiet();
    const batches = await drip(gateway.url, source(BATCH), MESSAGES_PER_SECOND / BATCH, SECONDS);
    await gateway.quiet();
    const paced = await answeredOnce(world, gateway, acceptedBefore);
    say(`  ${describe(paced)}`);
    const agent = new Agent();
    const largest = await postOne(gateway.url, source(LARGEST_BATCH).next(), agent);
    agent.destroy();
    await gateway.quiet();
    say(
      `  with the largest batch: ${describe(await answeredOnce(world, gateway, acceptedBefore))}`,
    );
    return [
      ...rowsOf("one message", singles),
      ...rowsOf(`${BATCH} messages`, batches),
      row(`webhook with ${LARGEST_BATCH} messages, ms`, largest, null),
      row("message to reply, p50 ms", quantile(paced.waits, 0.5), null),
      row("message to reply, p99 ms", quantile(paced.waits, 0.99), null),
    ];
  } finally {
    await world.setFaults({ modelDelayMs: 0 });
    await gateway.stop();
  }
}

function rowsOf(content: string, times: number[]): Row[] {
  const slow = times.filter((ms) => ms > SLOW_MS).length;
  const percent = (100 * slow) / times.length;
  return [
    row(`webhook with ${content}, p50 ms`, quantile(times, 0.5), { atMost: MEDIAN_MS }),
    row(`webhook with ${content}, p99 ms`, quantile(times, 0.99), null),
    row(`webhook with ${content}, % over 1 s`, percent, { atMost: SLOW_PERCENT }),
  ];
}

function row(what: string, value: number, target: Row["target"]): Row {
  return { bench: "META", what, gateway: spread([value]), reference: null, target };
}
