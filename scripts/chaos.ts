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
import { say } from "./terminal.ts";

/** `pnpm chaos`: see docs/chaos.md. */
const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "600" },
    kills: { type: "string", default: "20" },
    processes: { type: "string", default: "2" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    control: { type: "string" },
    "real-timings": { type: "boolean", default: false },
  },
});
const seed = wholeNumber("seed", values.seed, 0);
const messages = wholeNumber("messages", values.messages, 1);
const kills = wholeNumber("kills", values.kills, 0);
const processes = wholeNumber("processes", values.processes, 1);
const control = controlName(values.control);

const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => interrupt.abort());
const dataDir = await mkdtemp(join(tmpdir(), "jobrun-chaos-db-"));
const postgres = await startEmbeddedPostgres({ dataDir, temporary: true, log: say });
try {
  await migrate(postgres.url);
  say(`${messages} texts, ${kills} kills, ${processes} gateways, --seed ${seed}`);
  if (control !== null) say(`Control ${control}: ${controls[control].what}`);
  const result = await runChaos({
    messages,
    kills,
    processes,
    seed,
    control,
    timings: values["real-timings"] ? DELIVERY : shortened(0.2),
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

function controlName(name: string | undefined): ControlName | null {
  if (name === undefined) return null;
  if (!Object.hasOwn(controls, name))
    throw new Error(`No such control: ${name}. There are: ${Object.keys(controls).join(", ")}`);
  return name as ControlName;
}
