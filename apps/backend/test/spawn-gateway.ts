import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { LogLine, World } from "./harness.ts";

export interface SpawnedGateway {
  url: string;
  process: ChildProcess;
  /** Resolves with [exit code, signal]. */
  exited: Promise<unknown[]>;
  stderr: () => string;
  /** Resolves with the next log line that fits. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
}

/** The gateway as a process of its own, as production runs it, on the world's database and providers. */
export async function spawnGateway(
  world: World,
  env: Record<string, string> = {},
): Promise<SpawnedGateway> {
  const main = new URL("../src/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--conditions=@jobrun/source", main], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOST: "127.0.0.1",
      PORT: "0",
      PUBLIC_BASE_URL: "https://gateway.example.com",
      DATABASE_URL: world.database.url,
      TWILIO_ACCOUNT_SID: world.simulator.accountSid,
      TWILIO_AUTH_TOKEN: world.simulator.authToken,
      TWILIO_API_BASE_URL: world.simulator.twilioUrl,
      OPENAI_API_KEY: world.simulator.openaiKey,
      OPENAI_BASE_URL: world.simulator.openaiUrl,
      ...env,
    },
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));

  const waiting = new Set<(line: LogLine) => void>();
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) for (const notify of waiting) notify(JSON.parse(text));
  });
  const logged = (fits: (line: LogLine) => boolean) =>
    new Promise<LogLine>((resolve) => {
      const notify = (line: LogLine) => {
        if (!fits(line)) return;
        waiting.delete(notify);
        resolve(line);
      };
      waiting.add(notify);
    });

  const exited = once(child, "exit");
  const listening = logged((line) => line.message === "gateway listening");
  const { port } = await Promise.race([
    listening,
    exited.then(() => Promise.reject(new Error(`the gateway ended before it listened: ${stderr}`))),
  ]);
  return { url: `http://127.0.0.1:${port}`, process: child, exited, stderr: () => stderr, logged };
}
