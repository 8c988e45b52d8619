import { Agent } from "node:http";
import { measure, warmUp } from "./b1-ingest.ts";
import { postOne } from "./load.ts";
import { type Row, spread } from "./results.ts";
import type { Subject, World } from "./world.ts";

const ROUNDS = 4;
const ONE_FIRST = ["one", "two"] as const;
/** Texts that are posted to both processes at once, 50 in flight, after the rounds. */
const TWICE = 500;
const AT_ONCE = 50;

/**
 * B6: B1 with two gateway processes on one database against one process. Rounds alternate.
 *
 * @throws Error when a text has not exactly one row and one reply, or a reply was not accepted exactly once
 */
export async function processes(world: World, say: (line: string) => void): Promise<Row[]> {
  const file = new URL("./gateway.ts", import.meta.url);
  const one = await world.start("bench_one_process", file);
  const two = await world.start("bench_two_processes", file, { processes: 2 });
  const acceptedBefore = await world.accepted();
  const rates = { one: [] as number[], two: [] as number[] };
  for (const subject of [one, two]) {
    await warmUp(world, subject);
    await subject.quiet();
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    // Whoever comes first in one round comes last in the next, so that a drift meets both.
    for (const kind of round % 2 === 1 ? ONE_FIRST : ONE_FIRST.toReversed()) {
      const subject = kind === "one" ? one : two;
      rates[kind].push(await measure(world, subject));
      await subject.quiet();
    }
    say(
      `  round ${round}: one process ${rates.one.at(-1)?.toFixed(0)}/s, two ${rates.two.at(-1)?.toFixed(0)}/s`,
    );
  }
  await postTwice(world, two);
  await two.quiet();
  const replies = (await repliesOnce(one)) + (await repliesOnce(two));
  const accepted = (await world.accepted()) - acceptedBefore;
  if (accepted !== replies)
    throw new Error(`${replies} replies are stored and the provider accepted ${accepted}`);
  say(`  ${accepted} texts, each with one row and one reply that was accepted once`);
  await one.stop();
  await two.stop();
  return [
    {
      bench: "B6",
      what: "ingest with two processes, texts/s",
      gateway: spread(rates.two),
      reference: spread(rates.one),
      target: { atLeast: 1 },
    },
  ];
}

/** The same text at the same time to both, as when a provider repeats what was not answered yet. */
async function postTwice({ texts }: World, { url, urls, stored }: Subject): Promise<void> {
  const before = await stored();
  const agent = new Agent({ keepAlive: true });
  try {
    for (let sent = 0; sent < TWICE; sent += AT_ONCE) {
      const posts = Array.from({ length: AT_ONCE }, () => texts.nextFor(urls)).flatMap((webhooks) =>
        webhooks.map((webhook, index) => postOne(urls[index] ?? url, webhook, agent)),
      );
      await Promise.all(posts);
    }
  } finally {
    agent.destroy();
  }
  const rows = (await stored()) - before;
  if (rows !== TWICE)
    throw new Error(`${TWICE} texts were posted to both processes and ${rows} rows are stored`);
}

/** @returns the replies, one to each text stored */
async function repliesOnce({ name, query }: Subject): Promise<number> {
  const [counted] = await query<{ replies: number; uneven: number; unaccepted: number }>(
    `SELECT coalesce(sum(replies), 0)::int AS replies, count(*) FILTER (WHERE replies <> texts)::int AS uneven,
       coalesce(sum(replies - accepted), 0)::int AS unaccepted
     FROM (SELECT count(*) FILTER (WHERE "direction" = 'INBOUND') AS texts,
         count(*) FILTER (WHERE "direction" = 'OUTBOUND') AS replies,
         count(*) FILTER (WHERE "direction" = 'OUTBOUND' AND "providerMessageId" IS NOT NULL) AS accepted
       FROM "Message" GROUP BY "conversationId") conversation`,
  );
  if (counted === undefined || counted.uneven > 0 || counted.unaccepted > 0)
    throw new Error(`${name}: not every text has one reply: ${JSON.stringify(counted)}`);
  return counted.replies;
}
