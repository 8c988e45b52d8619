import { coldStart } from "./bench/b8-cold-start.ts";
import { ingest } from "./bench/b1-ingest.ts";
import { overhead } from "./bench/b3-overhead.ts";
import { dispatch } from "./bench/b4-dispatch.ts";
import { growth } from "./bench/b5-growth.ts";
import { processes } from "./bench/b6-processes.ts";
import { memory } from "./bench/b7-memory.ts";
import { deferredAgainstFloor } from "./bench/deferred.ts";
import { slowModel } from "./bench/b2-slow-model.ts";
import { killAll } from "./bench/processes.ts";
import { lastResults, type Row, table, writeResults } from "./bench/results.ts";
import { whatsAppDeferred } from "./bench/whatsapp-deferred.ts";
import { createWorld, type World } from "./bench/world.ts";
import { readArguments, say } from "./terminal.ts";

/** `pnpm bench`, or `pnpm bench B1 B3`: see docs/performance.md. */
const BENCHES = {
  B1: "ingest",
  B2: "slow model",
  B3: "overhead",
  B4: "dispatch",
  B5: "growth",
  B6: "processes",
  B7: "memory (about 9 minutes)",
  B8: "cold start",
  B1D: "ingest, deferred mode",
  B3D: "overhead, deferred mode",
  META: "WhatsApp, deferred mode, a model that takes 2 s",
};
const usage = `Measures throughput and latency beside a bare minimum in the same run. See docs/performance.md.

  pnpm bench          all of them
  pnpm bench B1 B3    these

${Object.entries(BENCHES)
  .map(([name, what]) => `  ${name.padEnd(4)}  ${what}`)
  .join("\n")}`;
const asked = readArguments(usage, () => {
  const names = process.argv.slice(2).map((name) => name.toUpperCase());
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) throw new Error(`No such bench: ${unknown.join(", ")}`);
  return names;
});
const wants = (...names: string[]) =>
  asked.length === 0 || names.some((name) => asked.includes(name));

/** All that need a database and the doubles. */
const IN_WORLD = Object.keys(BENCHES).filter((name) => name !== "B8");

const rows: Row[] = [];
let world: World | undefined;
let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => void end(1));

try {
  await run();
  await end(0);
} catch (error) {
  // What an interrupted bench was waiting for fails; that is no news.
  if (!ending) {
    if (rows.length > 0) say(`\nMeasured until then:\n\n${table(rows, lastResults())}`);
    say(`\n${error instanceof Error ? error.message : String(error)}`);
  }
  await end(1);
}

async function run(): Promise<void> {
  const last = lastResults();
  if (wants("B8")) {
    say("B8 cold start");
    rows.push(...(await coldStart(say)));
  }
  if (wants(...IN_WORLD)) {
    world = await createWorld(say);
    if (wants("B1", "B3")) await againstFloor(world);
    if (wants("B2")) {
      say("B2 slow model");
      rows.push(...(await slowModel(world, say)));
    }
    if (wants("B4")) {
      say("B4 dispatch: filling the queue (about 30 s)");
      rows.push(...(await dispatch(world, say)));
    }
    if (wants("B5")) {
      say("B5 growth: filling the database");
      rows.push(...(await growth(world, say)));
    }
    if (wants("B6")) {
      say("B6 processes");
      rows.push(...(await processes(world, say)));
    }
    if (wants("B7")) {
      say("B7 memory");
      rows.push(...(await memory(world, say)));
    }
    if (wants("B1D", "B3D")) {
      say("B1 and B3 in deferred mode");
      const wanted = { ingest: wants("B1D"), overhead: wants("B3D") };
      rows.push(...(await deferredAgainstFloor(world, wanted, say)));
    }
    if (wants("META")) {
      say("WhatsApp in deferred mode");
      rows.push(...(await whatsAppDeferred(world, say)));
    }
  }
  rows.sort((a, b) => a.bench.localeCompare(b.bench));
  say(`\n${table(rows, last)}\n`);
  say(`Written to ${writeResults(rows, new Date())}`);
}

async function againstFloor(stage: World): Promise<void> {
  const floor = await stage.start("bench_floor", new URL("./bench/floor.ts", import.meta.url));
  const gateway = await stage.start(
    "bench_gateway",
    new URL("./bench/gateway.ts", import.meta.url),
  );
  if (wants("B1")) {
    say("B1 ingest");
    rows.push(...(await ingest(stage, gateway, floor, say)));
  }
  if (wants("B3")) {
    say("B3 overhead");
    rows.push(...(await overhead(stage, gateway, floor)));
  }
  await gateway.stop();
  await floor.stop();
}

/** Leaves no process and no file behind, however the bench ended. */
async function end(code: number): Promise<void> {
  if (ending) return new Promise(() => {});
  ending = true;
  killAll();
  await world?.close();
  process.exit(code);
}
