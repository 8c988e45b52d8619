import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./processes.ts";
import { type Row, spread } from "./results.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const STARTS = 3;
const LIMIT_MS = 60_000;

/** B8: from `npm start` to the first 200 of /live, with everything installed and no service configured. */
export async function coldStart(say: (line: string) => void): Promise<Row[]> {
  const seconds: number[] = [];
  for (let start = 1; start <= STARTS; start += 1) {
    seconds.push(await startOnce());
    say(`  start ${start}: ${seconds.at(-1)?.toFixed(2)} s`);
  }
  return [
    {
      bench: "B8",
      what: "npm start to /live, s",
      gateway: spread(seconds),
      reference: null,
      target: { atMost: 5 },
    },
  ];
}

async function startOnce(): Promise<number> {
  const [port, simulatorPort] = [await freePort(), await freePort()];
  const started = performance.now();
  const child = spawn("npm", ["start"], {
    cwd: ROOT,
    // A group of its own, so that a signal reaches what npm starts.
    detached: true,
    stdio: "ignore",
    env: {
      ...process.env,
      PORT: String(port),
      SIMULATOR_URL: `http://127.0.0.1:${simulatorPort}`,
      // Empty, so that what stands in .env does not count.
      DATABASE_URL: "",
      TWILIO_ACCOUNT_SID: "",
      OPENAI_API_KEY: "",
      PUBLIC_BASE_URL: "",
    },
  });
  const end = () => signalGroup(child.pid, "SIGTERM");
  process.once("exit", end);
  try {
    while (!(await answers(`http://127.0.0.1:${port}/live`))) {
      if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
      if (performance.now() - started > LIMIT_MS) throw new Error("npm start does not answer");
      await sleep(20);
    }
    return (performance.now() - started) / 1000;
  } finally {
    process.off("exit", end);
    const gone = once(child, "exit");
    end();
    await gone;
    // npm itself ends at once; the embedded PostgreSQL must be gone before the next start.
    while (groupLives(child.pid)) await sleep(50);
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal);
  } catch {
    return false; // nobody is left in it
  }
}

function groupLives(pid: number | undefined): boolean {
  return signalGroup(pid, 0);
}
