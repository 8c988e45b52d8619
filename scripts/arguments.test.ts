import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";

/** On an idle machine a command takes half a second. */
const LIMIT_MS = 30_000;

function run(name: string, ...args: string[]) {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  return spawnSync(process.execPath, ["--conditions=@jobrun/source", script, ...args], {
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
}

describe.each(["simulate", "chaos", "bench", "replay", "demo"])("pnpm %s", (name) => {
  it(
    "--help shows how it is used and does nothing else",
    () => {
      const { status, stdout } = run(name, "--help");
      expect(stdout).toContain(`pnpm ${name}`);
      expect(status).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    "says last what is wrong with an argument it does not know",
    () => {
      const { status, stderr } = run(name, "--nope");
      expect(stderr).toContain(`pnpm ${name}`);
      expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/--nope/i);
      expect(stderr).not.toMatch(/^ +at /m);
      expect(status).toBe(1);
    },
    LIMIT_MS,
  );
});
