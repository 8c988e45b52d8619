import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { say } from "./terminal.ts";

/** `pnpm verify`: everything that can be known without running the gateway. Needs no database. */
const checks: { name: string; command: string[]; advice: string }[] = [
  { name: "format", command: bin("oxfmt", "--check"), advice: "pnpm exec oxfmt" },
  { name: "lint", command: bin("oxlint", "--deny-warnings"), advice: "follow the messages above" },
  { name: "types", command: bin("tsc", "-p", "tsconfig.json"), advice: "correct the types" },
  {
    // What `pnpm build` asks beyond the types: that each export can be written into a declaration.
    name: "build",
    command: bin("tsc", "-p", "tsconfig.build.json", "--noCheck"),
    advice: "write the type of the export down; mostly a function's return type",
  },
  {
    name: "packages",
    command: bin("turbo", "boundaries"),
    advice: "declare the dependency in the package's package.json, or do not import it",
  },
  {
    name: "architecture",
    command: script("architecture.ts"),
    advice: "see who may import whom in scripts/architecture.ts",
  },
  { name: "dead code", command: bin("knip"), advice: "remove what nobody uses" },
  {
    name: "documents",
    command: script("doc-references.ts"),
    advice: "correct the path or the command in the document",
  },
];

const results = await Promise.all(checks.map(run));
const failed = results.filter(({ ok }) => !ok);
for (const { name, output } of failed) say(`\n── ${name}\n${output.trim()}`);
say("");
for (const { name, ok, seconds } of results)
  say(`${ok ? "✓" : "✗"} ${name.padEnd(14)}${seconds.toFixed(1)} s`);
if (failed.length > 0) {
  say("\nTo do:");
  for (const { name, advice } of failed) say(`  ${name}: ${advice}`);
  process.exitCode = 1;
}

function run({ name, command, advice }: (typeof checks)[number]) {
  const started = performance.now();
  let output = "";
  return new Promise<{
    name: string;
    advice: string;
    ok: boolean;
    output: string;
    seconds: number;
  }>((resolve) => {
    const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
    const end = (ok: boolean) =>
      resolve({ name, advice, ok, output, seconds: (performance.now() - started) / 1000 });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

function script(name: string): string[] {
  return [
    "--conditions=@jobrun/source",
    "--disable-warning=ExperimentalWarning",
    `scripts/${name}`,
  ];
}

/** Arguments for Node.js that run a tool's own entry: what node_modules/.bin holds are shell scripts. */
function bin(name: string, ...args: string[]): string[] {
  const entries: Record<string, string> = {
    oxfmt: "oxfmt/bin/oxfmt",
    oxlint: "oxlint/bin/oxlint",
    tsc: "typescript/bin/tsc",
    turbo: "turbo/bin/turbo",
    knip: "knip/bin/knip.js",
  };
  const entry = `node_modules/${entries[name]}`;
  if (!existsSync(entry)) throw new Error(`${name} is not where it was: ${entry}`);
  return [entry, ...args];
}
