import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { migrate } from "@jobrun/db/migrate";
import { DELIVERY } from "../apps/backend/src/outbound/timings.ts";
import { type ControlName, controls } from "./chaos/controls.ts";
import { succeeded, table } from "./chaos/report.ts";
import { runChaos } from "./chaos/run.ts";
import { shortened } from "./chaos/timings.ts";
import type { Processing } from "./chaos/world.ts";
import { readArguments, say } from "./terminal.ts";

/** `pnpm chaos`: see docs/chaos.md. */
const usage = `Kills gateways at random under a failing provider and counts what was lost or doubled. See docs/chaos.md.

  pnpm chaos

  --messages <n>     texts from customers (default 600)
  --kills <n>        how often a gateway is killed (default 20)
  --processes <n>    gateways on the one database (default 2)
  --processing <m>   sync, or deferred: webhooks only store, workers answer (default sync)
  --seed <n>         the same number, the same course of events (default a new one)
  --control <name>   takes one guard away, and passes when the run then fails:
                     ${Object.keys(controls).join(", ")}
  --real-timings     waits as long as in production, not a fifth of it
  --help`;
const { seed, messages, kills, processes, processing, control, realTimings } = readArguments(
  usage,
  () => {
    const { values } = parseArgs({
      options: {
        messages: { type: "string", default: "600" },
        kills: { type: "string", default: "20" },
        processes: { type: "string", default: "2" },
        processing: { type: "string", default: "sync" },
        seed: { type: "string", default: String(Date.now() % 100_000) },
        control: { type: "string" },
        "real-timings": { type: "boolean", default: false },
      },
    });
    return {
      seed: wholeNumber("seed", values.seed, 0),
      messages: wholeNumber("messages", values.messages, 1),
      kills: wholeNumber("kills", values.kills, 0),
      processes: wholeNumber("processes", values.processes, 1),
      processing: processingName(values.processing),
      control: controlName(values.control),
      realTimings: values["real-timings"],
    };
  },
);

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => interrupt.abort());
const dataDir = await mkdtemp(join(tmpdir(), "jobrun-chaos-db-"));
const postgres = await startEmbeddedPostgres({ dataDir, temporary: true, log: say });
try {
  await migrate(postgres.url);
  say(`${messages} texts, ${kills} kills, ${processes} gateways, ${processing}, --seed ${seed}`);
  if (control !== null) say(`Control ${control}: ${controls[control].what}`);
  const result = await runChaos({
    messages,
    kills,
    processes,
    processing,
    seed,
    control,
    timings: realTimings ? DELIVERY : shortened(0.2),
    outages: true,
    databaseUrl: postgres.url,
    signal: interrupt.signal,
    say,
  });
  say(`\n${table(result, control)}\n`);
  const ok = succeeded(result, control);
  if (control === null) say(ok ? "PASS" : "FAIL");
  else
    say(
      ok
        ? `PASS: without its guard the run fails, as it should (${controls[control].breaks})`
        : `FAIL: the guard was taken away and "${controls[control].breaks}" did not notice`,
    );
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name} must be a whole number from ${least}`);
  return value;
}

function processingName(name: string): Processing {
  if (name !== "sync" && name !== "deferred")
    throw new Error("--processing must be sync or deferred");
  return name;
}

function controlName(name: string | undefined): ControlName | null {
  if (name === undefined) return null;
  if (!Object.hasOwn(controls, name))
    throw new Error(`No such control: ${name}. There are: ${Object.keys(controls).join(", ")}`);
  return name as ControlName;
}
