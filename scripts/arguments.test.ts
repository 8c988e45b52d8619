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

const names = ["simulate", "chaos", "bench", "replay", "demo", "token", "provision", "start"];
describe.each(names)("pnpm %s", (name) => {
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
    "says in one line what is wrong with an argument it does not know, and does nothing",
    () => {
      const { status, stderr } = run(name, "--nope");
      expect(stderr).toMatch(/^.*--nope.* \(--help shows the usage\)\n$/i);
      expect(status).toBe(1);
    },
    LIMIT_MS,
  );
});
