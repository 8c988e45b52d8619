import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { demoTenant } from "@jobrun/db/migrate";
import { startSimulator } from "@jobrun/simulator";
import { showPhones } from "./demo/phones.ts";
import { playStory } from "./demo/story.ts";

/** The promise: the whole tour, from nothing, in less than this. */
const LIMIT_MS = 60_000;

async function runDemo(env: Record<string, string> = {}) {
  const script = fileURLToPath(new URL("demo.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@jobrun/source", script], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { output: await text(child.stdout), code: await exited };
}

describe("pnpm demo", () => {
  it(
    "plays a missed call to its end, in order, on 80 columns",
    async () => {
      const { output, code } = await runDemo();
      const story = [
        "1. A customer calls Demo Plumbing.",
        "(calls Demo Plumbing)",
        "│ (hears) Thank you for",
        "│ Sorry we missed your call",
        "2. The customer answers that text.",
        "Water is pouring through the ▐",
        "│ URGENT job 1 from",
        "3. The plumber takes the job",
        "YES 1 ▐",
        "4. The founder",
        "│ health: ok",
        "│ 0 alerts, 0 texts unsent",
        "What you saw",
        "What to try next",
      ];
      expect(inOrder(output, story)).toEqual(story);
      expect(output).toContain("│ This sounds urgent");
      expect(output).toContain("│ Job 1 is yours.");
      expect(output).toContain("│ taken your job");
      expect(output.split("\n").filter((line) => line.length > 80)).toEqual([]);
      expect(code).toBe(0);
    },
    LIMIT_MS,
  );

  it(
    "says what went wrong and exits with 1 when it cannot be played",
    async () => {
      const { output, code } = await runDemo({ TMPDIR: "/nowhere" });
      expect(output).toContain("The story went wrong.");
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );

  it("stops at the first promise that is not kept", async () => {
    const gateway = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/xml" }).end("<Response/>");
    });
    await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
    const gatewayUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const simulator = await startSimulator();
    simulator.addNumber(demoTenant.phoneNumber, { voiceUrl: gatewayUrl });
    const lines: string[] = [];
    const phones = showPhones((line) => lines.push(line), 0);
    try {
      const world = { simulator, gatewayUrl, complaints: () => [] };
      await expect(playStory(world, phones, async () => {})).rejects.toThrow(
        "the caller hears a notice",
      );
      expect(lines.join("\n")).not.toContain("2. ");
    } finally {
      await simulator.close();
      gateway.close();
    }
  });
});

/** Those of `parts` found in `whole` one after the other. */
function inOrder(whole: string, parts: string[]): string[] {
  let from = 0;
  return parts.filter((part) => {
    const at = whole.indexOf(part, from);
    if (at !== -1) from = at + part.length;
    return at !== -1;
  });
}
