import { parseArgs } from "node:util";
import { listDead, replay, type DeadMessage } from "../apps/backend/src/outbound/replay.ts";
import { createDatabase } from "@jobrun/db";
import { readArguments, say } from "./terminal.ts";
import { useDatabase } from "./use-database.ts";

/** `pnpm replay`: shows the texts that were given up on, and queues those a person chooses again. */
const usage = `usage: pnpm replay            shows the texts that were given up on
       pnpm replay <id> …     queues these again
       pnpm replay --all      queues all of them again
       pnpm replay --help`;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const asked = readArguments(usage, whatIsAsked);
try {
  process.exitCode = await useDatabase((url) => run(url, asked));
} catch (error) {
  say(`Nothing was changed: ${error instanceof Error ? error.message.trim() : String(error)}`);
  process.exitCode = 1;
}

async function run(url: string, chosen: "show" | "all" | string[]): Promise<number> {
  const db = createDatabase({
    url,
    poolSize: 2,
    queryTimeoutMs: 5000,
    transactionTimeoutMs: 30_000,
    onQueryTimeout: () => say("The database takes longer than 5 s."),
  });
  try {
    if (chosen === "show") return show(await listDead(db));
    const queued = await replay(db.service, chosen);
    say(
      queued.length === 1
        ? "1 text is queued again; a running gateway sends it within a second."
        : `${queued.length} texts are queued again; a running gateway sends them.`,
    );
    const missed = chosen === "all" ? [] : chosen.filter((id) => !queued.includes(id));
    for (const id of missed)
      say(`${id}: not a text that was given up on, or its reader wants no more texts`);
    return missed.length === 0 ? 0 : 1;
  } finally {
    await db.close();
  }
}

/** @throws Error when nobody can know what was meant */
function whatIsAsked(): "show" | "all" | string[] {
  const { values, positionals } = parseArgs({
    options: { all: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  if (values.all && positionals.length > 0) throw new Error("--all and ids: say one or the other");
  if (values.all) return "all";
  if (positionals.length === 0) return "show";
  const wrong = positionals.filter((id) => !ID.test(id));
  if (wrong.length > 0)
    throw new Error(`not the id of a text: ${wrong.join(", ")} (pnpm replay shows the ids)`);
  return positionals.map((id) => id.toLowerCase());
}

function show(dead: DeadMessage[]): number {
  if (dead.length === 0) {
    say("No text was given up on.");
    return 0;
  }
  say("id                                    queued            to            kind          why");
  for (const { id, queuedAt, recipient, kind, errorCode, mayHaveArrived } of dead) {
    const why = `${errorCode ?? "–"}${mayHaveArrived ? " (it may have arrived)" : ""}`;
    const time = queuedAt.toISOString().slice(0, 16).replace("T", " ");
    say(`${id}  ${time}  ${recipient.padEnd(12)}  ${kind.padEnd(12)}  ${why}`);
  }
  say(
    `\n${dead.length} given up on. Queue them again with: pnpm replay --all, or pnpm replay <id>`,
  );
  return 0;
}
