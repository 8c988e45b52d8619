import { readFileSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

interface LockFile {
  pid: number;
  port: number;
  /** "starting", "ready", "stopping" or "standby". */
  status: string;
}

const SETTLE_LIMIT_MS = 20_000;

/**
 * Looks whether a server already runs on this cluster, and waits while one is starting or stopping.
 * A lock file that a crash left behind is removed: after a restart its process id may belong to
 * somebody else, and PostgreSQL would refuse to start.
 *
 * @returns the address of the running server, or null when this process may start one.
 */
export async function awaitOtherServer(cluster: string): Promise<{ port: number } | null> {
  const deadline = Date.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const lock = readLockFile(cluster);
    if (!lock) return null;
    if (!isServerOf(lock.pid, cluster)) {
      rmSync(join(cluster, "postmaster.pid"), { force: true });
      return null;
    }
    if (lock.status === "ready") return { port: lock.port };
    if (Date.now() > deadline) {
      throw new Error(
        `PostgreSQL (process ${lock.pid}) is ${lock.status} on ${cluster}: stop it first`,
      );
    }
    await sleep(50);
  }
}

/** The lines of postmaster.pid: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h */
export function readLockFile(cluster: string): LockFile | null {
  try {
    const lines = readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
    return {
      pid: Number(lines[0]),
      port: Number(lines[3]),
      status: lines[7]?.trim() ?? "starting",
    };
  } catch {
    return null;
  }
}

function isServerOf(pid: number, cluster: string): boolean {
  return commandLine(pid).includes(cluster);
}

function commandLine(pid: number): string {
  if (process.platform !== "linux") {
    return spawnSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? "";
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
