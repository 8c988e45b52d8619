import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { oneOf, type Random } from "./random.ts";

/** Gateway processes on one database, each restarted at once when it is killed. */
export interface Fleet {
  /** Of those that listen at this moment. */
  ports(): number[];
  /** Ends one with SIGKILL as soon as `least` of them listen. */
  killOne(random: Random, least: number): Promise<void>;
  /** Rejects when a gateway ends that nobody killed; never resolves. */
  broken: Promise<never>;
  /** Ends all of them with SIGKILL. */
  end(): Promise<void>;
}

interface Member {
  child: ChildProcess;
  port: number | null;
  /** Its end is our doing. */
  killed: boolean;
}

/**
 * @param count processes
 * @param env configuration of each, besides PORT
 * @param logFile receives what they write
 */
export async function startFleet(
  count: number,
  env: Record<string, string>,
  logFile: string,
): Promise<Fleet> {
  const log = openSync(logFile, "a");
  const members = new Set<Member>();
  const listening = new EventTarget();
  const { promise: broken, reject: breakDown } = Promise.withResolvers<never>();
  let ending = false;

  function launch(): void {
    const child = fork(new URL("./gateway.ts", import.meta.url), {
      env: { PATH: process.env["PATH"], ...env, HOST: "127.0.0.1", PORT: "0" },
      execArgv: ["--conditions=@jobrun/source", "--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", log, log, "ipc"],
    });
    const member: Member = { child, port: null, killed: false };
    members.add(member);
    child.once("message", (message) => {
      member.port = Number(new URL((message as { url: string }).url).port);
      listening.dispatchEvent(new Event("up"));
    });
    child.once("exit", (code) => {
      members.delete(member);
      if (ending) return;
      if (member.killed) launch();
      else breakDown(new Error(`a gateway ended by itself with ${code}; see ${logFile}`));
    });
  }

  const up = () => [...members].filter((member) => member.port !== null && !member.killed);
  const kill = (member: Member) => {
    member.killed = true;
    member.child.kill("SIGKILL");
  };
  const listen = async (least: number) => {
    while (up().length < least) await Promise.race([once(listening, "up"), broken]);
  };
  const end = async () => {
    ending = true;
    const gone = [...members].map(({ child }) => once(child, "exit"));
    for (const member of members) kill(member);
    await Promise.all(gone);
    closeSync(log);
  };

  for (let started = 0; started < count; started += 1) launch();
  await listen(count).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return {
    ports: () => up().flatMap(({ port }) => port ?? []),
    killOne: async (random, least) => {
      await listen(least);
      kill(oneOf(random, up()));
    },
    broken,
    end,
  };
}
