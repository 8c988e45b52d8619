// The door of every `npm run x` and `pnpm x`. Runs on Node.js 20 with nothing installed: finds or
// fetches the right Node.js and pnpm, installs what changed, generates the database client, runs the task.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tools = join(root, ".data", "tools");
const PNPM = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
const NODE_WANTED = "node@24";
const NODE_MINIMUM = [22, 18];
const PARENT_CHECK_MS = 250;

const source = ["--conditions=@jobrun/source", "--disable-warning=ExperimentalWarning"];
// Left alone, V8 lets the heap grow to what the machine has before it tidies up: `pnpm bench B7`.
const frugal = ["--max-semi-space-size=4", "--max-old-space-size=320"];
const jest = [
  ...source,
  "--experimental-vm-modules",
  "node_modules/jest/bin/jest.js",
  "--config=scripts/jest.config.mjs",
];

/** Arguments for Node.js; what the caller adds comes after them. */
const tasks = {
  start: [...source, ...frugal, "scripts/start.ts"],
  "start:worker": [...source, ...frugal, "scripts/start-worker.ts"],
  dev: [...source, "--watch", "scripts/start.ts"],
  test: jest,
  verify: [...source, "scripts/verify.ts"],
  build: ["node_modules/turbo/bin/turbo", "run", "build"],
  bench: [...source, ...frugal, "scripts/bench.ts"],
  chaos: [...source, "scripts/chaos.ts"],
  simulate: [...source, "scripts/simulate.ts"],
  "simulate-webhook": [...source, "scripts/simulate-webhook.ts"],
  simulator: [...source, "packages/simulator/src/main.ts"],
  demo: [...source, "scripts/demo.ts"],
  provision: [...source, "scripts/provision.ts"],
  replay: [...source, "scripts/replay.ts"],
  token: [...source, "scripts/token.ts"],
  "db:migrate": [...source, "scripts/database.ts", "migrate"],
  "db:seed": [...source, "scripts/database.ts", "seed"],
  "db:check": [...source, "scripts/database.ts", "check"],
};

const [name = "", ...rest] = process.argv.slice(2);
const task = tasks[name];
if (!task) fail(`No such task: "${name}". There are: ${Object.keys(tasks).join(", ")}`);

process.chdir(root);
Object.assign(process.env, {
  CHECKPOINT_DISABLE: "1",
  DO_NOT_TRACK: "1",
  // What is compiled once need not be the next time, and the TypeScript parser is not even loaded.
  NODE_COMPILE_CACHE: join(root, ".data", "compile-cache"),
  PRISMA_HIDE_UPDATE_MESSAGE: "1",
  TURBO_TELEMETRY_DISABLED: "1",
});
const node = findNode();
prependPath(dirname(node));
whenChanged(
  "install",
  ["pnpm-lock.yaml", "pnpm-workspace.yaml"],
  "node_modules/.modules.yaml",
  () => {
    step("Installing the dependencies (about a minute the first time)");
    run(findPnpm(), ["install", "--frozen-lockfile", "--reporter=append-only"], { CI: "true" });
  },
);
whenChanged(
  "generate",
  ["prisma/schema.prisma", "pnpm-lock.yaml"],
  "packages/db/src/generated/client.ts",
  () => {
    step("Generating the database client");
    // The generator needs no engine but looks for one and would download it: any program that exists will do.
    run(node, ["node_modules/prisma/build/index.js", "generate"], {
      PRISMA_SCHEMA_ENGINE_BINARY: node,
    });
  },
);
// Turborepo runs each package's script with the package manager, so that one must be on the path.
if (name === "build") prependPath(dirname(findPnpm()));
handOver(node, [...task, ...rest]);

function findNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const recent = major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1]);
  return recent ? process.execPath : tool("node", NODE_WANTED);
}

/** The pnpm on the path when its major version fits, else one of our own. */
function findPnpm() {
  const found = spawnSync("pnpm", ["--version"], { cwd: "/", encoding: "utf8" });
  const major = PNPM.split("@")[1].split(".")[0];
  return found.stdout?.startsWith(`${major}.`) ? "pnpm" : tool("pnpm", PNPM);
}

/** A program from the npm registry, kept in .data/tools so that only the first start fetches it. */
function tool(program, wanted) {
  const prefix = join(tools, program);
  const path = join(prefix, "node_modules", ".bin", program);
  const stamp = join(prefix, "installed");
  if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return path;
  step(`Fetching ${wanted} (kept in .data/tools)`);
  mkdirSync(prefix, { recursive: true });
  // Both packages place their program with an install script, which npm runs for listed packages only.
  const manifest = { private: true, allowScripts: { [program]: true } };
  writeFileSync(join(prefix, "package.json"), JSON.stringify(manifest));
  const npm = [
    "install",
    "--prefix",
    prefix,
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    wanted,
  ];
  run("npm", [...npm, "--loglevel=error"]);
  writeFileSync(stamp, wanted);
  return path;
}

/** Runs `work` when its result is missing or the files it was made from have changed since. */
function whenChanged(label, inputs, result, work) {
  const stamp = join("node_modules", `.jobrun-${label}`);
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(readFileSync(input));
  const now = hash.digest("hex");
  if (existsSync(result) && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  work();
  writeFileSync(stamp, now);
}

function run(program, args, env = {}) {
  // Progress goes to the error stream: the output belongs to the task.
  const stdio = ["ignore", process.stderr, "inherit"];
  const { status, error } = spawnSync(program, args, { stdio, env: { ...process.env, ...env } });
  if (status !== 0) fail(error?.message ?? `\`${program} ${args[0]}\` failed`, status ?? 1);
}

/** Runs the task in this one's place: passes signals on and ends with the task's own code. */
function handOver(program, args) {
  const child = spawn(program, args, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  // npm passes a signal to its shell alone, which ends without telling us: a lost parent means stop.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event)
    setInterval(() => process.ppid === parent || child.kill("SIGTERM"), PARENT_CHECK_MS).unref();
  child.on("error", (error) => fail(error.message));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function prependPath(folder) {
  if (folder !== ".") process.env.PATH = `${folder}${delimiter}${process.env.PATH ?? ""}`;
}

function step(text) {
  process.stderr.write(`› ${text}\n`);
}

function fail(text, code = 1) {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}
