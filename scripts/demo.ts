import { setTimeout as delay } from "node:timers/promises";
import { parseArgs, styleText } from "node:util";
import { demoTenant } from "@jobrun/db/migrate";
import { showPhones } from "./demo/phones.ts";
import { people, playStory } from "./demo/story.ts";
import { startWorld, stopWorld, type DemoWorld } from "./demo/world.ts";
import { readArguments, say } from "./terminal.ts";

/**
 * `pnpm demo`: one missed call, from the first ring to the plumber's YES, on the phones of those concerned. Plays
 * against a gateway of its own and leaves nothing behind. Exit code 1 when the story does not happen as it should.
 */
const usage = `Plays one missed call, from the first ring to the plumber's YES, on the phones of those concerned.

  pnpm demo`;
readArguments(usage, () => parseArgs({ options: {} }));

/** Between the parts of the story, for a person to read; a file needs none. */
const PAUSE_MS = process.stdout.isTTY ? 1_200 : 0;
let world: DemoWorld | undefined;
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    interrupted = true;
    void stopWorld().then(() => process.exit(130));
  });

try {
  say(`\n  ${styleText("bold", "JobRun: what becomes of a call nobody can take")}\n`);
  say("  Starting a gateway of its own, with its database and a stand-in for Twilio …");
  world = await startWorld(people.founder, (line) => say(`  › ${line}`));
  say("  Nothing leaves this machine. Each line appears when it happens.");
  say("  │ stands before what reaches a phone, ▐ after what is sent from it.\n");
  await tell(world);
} catch (error) {
  process.exitCode = 1;
  // What breaks because everything is being stopped is no news.
  if (!interrupted) explain(error);
}
await stopWorld();

async function tell(stage: DemoWorld): Promise<void> {
  const startedAt = performance.now();
  const phones = showPhones(say, startedAt);
  phones.header(
    { owner: "customer", title: "Customer's phone", number: people.customer },
    { owner: "operator", title: "Plumber's phone", number: people.operator },
  );
  await playStory(stage, phones, () => delay(PAUSE_MS));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  say(`  ${styleText("bold", "What you saw")}, in ${seconds} s:
    a missed call texted back · an emergency recognised and answered
    its owner alerted · the job taken with one word · the customer told

  ${styleText("bold", "What to try next")}
    npm start                                 ${demoTenant.name}, to play with
    npm run simulate -- "I need a plumber"    text it, from another terminal
    npm run simulate -- --call no-answer      call it
    docs/simulator.md                         all that can be played, and broken
`);
}

function explain(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  say(`  ${styleText("red", "The story went wrong.")} ${reason}`);
  for (const line of world?.complaints() ?? []) say(`  ${line}`);
}
