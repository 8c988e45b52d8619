import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "@jest/globals";
import { startSimulator } from "./index.ts";

/** On an idle machine it takes a second. */
const LIMIT_MS = 30_000;

function start(...args: string[]) {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  return { status, stderr };
}

it.each([
  [["--port", "abc"], '--port takes a number from 0 to 65535, not "abc"'],
  [["--port", "99999"], '--port takes a number from 0 to 65535, not "99999"'],
  [["--nope"], "Unknown option '--nope'"],
  [["--port", "0", "--number", "12"], "21421"],
])(
  "started with %j it ends with what is wrong in one line",
  (args, words) => {
    const { status, stderr } = start(...args);
    expect(stderr).toMatch(/^.+\n--help shows how it is used\.\n$/);
    expect(stderr).toContain(words);
    expect(status).toBe(1);
  },
  LIMIT_MS,
);

it(
  "names a port that is taken",
  async () => {
    const other = await startSimulator();
    try {
      const { port } = new URL(other.url);
      const { status, stderr } = start("--port", port);
      expect(stderr).toMatch(new RegExp(`^port ${port} is in use: .*\n--help`));
      expect(status).toBe(1);
    } finally {
      await other.close();
    }
  },
  LIMIT_MS,
);
