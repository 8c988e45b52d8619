import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A server of the bench in a process of its own, so that it shares no event loop with what it is measured against. */
export interface Server {
  url: string;
  /** What it uses now, bytes. */
  memory(): Promise<NodeJS.MemoryUsage>;
  /** Lets it finish what is running; resolves when the process is gone. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 15_000;
const running = new Set<ChildProcess>();

/**
 * Runs one of the files of this folder that call `announce`.
 *
 * @param env what the file needs besides the environment of this process
 * @throws Error when it ends or stays silent instead of listening
 */
export async function launch(file: URL, env: Record<string, string>): Promise<Server> {
  const child = fork(file, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  running.add(child);
  const gone = once(child, "exit").then(() => running.delete(child));
  const died = gone.then(() =>
    Promise.reject(new Error(`${file.pathname} ended with ${child.exitCode}`)),
  );
  const heard = once(child, "message", { signal: AbortSignal.timeout(START_LIMIT_MS) });
  const [message] = (await Promise.race([heard, died])) as [{ url: string }];
  died.catch(() => {});
  return {
    url: message.url,
    memory: async () => {
      const answer = once(child, "message");
      child.send("memory");
      const [usage] = (await Promise.race([answer, died])) as [NodeJS.MemoryUsage];
      return usage;
    },
    stop: async () => {
      const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      if (child.connected) child.disconnect();
      await gone;
      clearTimeout(limit);
    },
  };
}

/** For the end of a bench that failed or was interrupted. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A port of 127.0.0.1 that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("No free port on 127.0.0.1");
  return address.port;
}
