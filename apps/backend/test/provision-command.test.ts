import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "@jest/globals";
import { DEMO_NUMBER } from "./harness.ts";
import {
  APPLICATION,
  atTwilio,
  BASE,
  ELSEWHERE,
  OVERRIDES,
  pool,
  right,
  SECOND,
  useProvisionWorld,
  world,
} from "./provision-world.ts";

useProvisionWorld();

describe("pnpm provision", () => {
  interface Run {
    code: unknown;
    output: string;
  }

  async function run(args: string[], env: Record<string, string> = {}): Promise<Run> {
    const script = new URL("../../../scripts/provision.ts", import.meta.url).pathname;
    const source = ["--conditions=@jobrun/source", "--disable-warning=ExperimentalWarning"];
    const child = spawn(process.execPath, [...source, script, ...args], {
      env: {
        PATH: process.env["PATH"],
        NODE_ENV: "production",
        DATABASE_URL: world.database.url,
        TWILIO_ACCOUNT_SID: world.simulator.accountSid,
        TWILIO_AUTH_TOKEN: world.simulator.authToken,
        TWILIO_API_BASE_URL: world.simulator.twilioUrl,
        PUBLIC_BASE_URL: BASE,
        ...env,
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [code] = await once(child, "close");
    return { code, output };
  }

  it("--check shows each setting that would change, changes nothing, and fails", async () => {
    await pool(DEMO_NUMBER, SECOND, "+447700900999");
    world.simulator.addNumber(DEMO_NUMBER, { smsUrl: ELSEWHERE, smsMethod: "GET" });
    const { code, output } = await run(["--check"]);
    expect(output.split("\n")).toEqual([
      "number         setting  is                               should be",
      "─────────────  ───────  ───────────────────────────────  ───────────",
      "+447700900001  ok",
      "+447700900999  not in this Twilio account",
      "+447987654321  SMS      GET https://old.example.com/sms  POST /sms#…",
      "",
      "/…  is at https://gateway.example.com",
      `#…  is ${OVERRIDES}: Twilio tries again after a 5xx, a failed`,
      "    connection or 10 s of silence",
      "",
      "3 numbers: 1 differs, 1 is not in this Twilio account, 1 is right. Nothing was changed.",
      "",
      "To do:",
      "  Run `pnpm provision`: it sets the numbers that differ.",
      "  For a number that is not in the account: correct TWILIO_ACCOUNT_SID, or, if the number was",
      '  given up, take it out of "TwilioNumberPool".',
      "",
    ]);
    expect(code).toBe(1);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject({ smsUrl: ELSEWHERE, smsMethod: "GET" });
  });

  it("shows before and after, and succeeds; then there is nothing left to do", async () => {
    world.simulator.addNumber(DEMO_NUMBER, { voiceUrl: "", smsApplicationSid: APPLICATION });
    const first = await run([]);
    expect(first.output).toMatch(/^number +setting +before +after$/m);
    expect(first.output).toMatch(
      /^\+447987654321 {2}voice +not set +POST \/api\/twilio\/voice#…$/m,
    );
    expect(first.output).toMatch(new RegExp(`^ +SMS application {2}${APPLICATION} +not set$`, "m"));
    expect(first.output).toContain("1 number: 1 was set.");
    expect(first.code).toBe(0);
    expect(atTwilio(DEMO_NUMBER)).toMatchObject(right);

    const second = await run(["--check"]);
    expect(second).toEqual({
      code: 0,
      output: `+447987654321  ok\n\nThe number is set to reach ${BASE}.\n`,
    });
  });

  it("fails while a number is not in the account", async () => {
    await pool(DEMO_NUMBER, "+447700900999");
    const { code, output } = await run([]);
    expect(output).toContain("2 numbers: 1 is not in this Twilio account, 1 was right.");
    expect(code).toBe(1);
  });

  it("fails when Twilio refuses the credentials, and says which", async () => {
    const { code, output } = await run(["--check"], { TWILIO_AUTH_TOKEN: "wrong" });
    expect(output).toContain("the account SID or the auth token is wrong");
    expect(code).toBe(1);
  });

  it("names everything that is missing, and what to do", async () => {
    const { code, output } = await run([], {
      DATABASE_URL: "",
      TWILIO_ACCOUNT_SID: "",
      TWILIO_AUTH_TOKEN: "",
      PUBLIC_BASE_URL: "",
    });
    for (const key of [
      "DATABASE_URL",
      "TWILIO_ACCOUNT_SID",
      "TWILIO_AUTH_TOKEN",
      "PUBLIC_BASE_URL",
    ])
      expect(output).toMatch(new RegExp(`^ {2}${key} `, "m"));
    expect(output).toContain("To do: set them in .env");
    expect(code).toBe(1);
  });

  it("does not point real numbers at this machine", async () => {
    const env = { PUBLIC_BASE_URL: "http://localhost:3001", TWILIO_API_BASE_URL: "" };
    const { code, output } = await run([], env);
    expect(output).toContain("Twilio cannot reach PUBLIC_BASE_URL=http://localhost:3001");
    expect(code).toBe(1);
  });

  it("says that the database does not answer", async () => {
    const { code, output } = await run([], { DATABASE_URL: "postgresql://gateway@127.0.0.1:1/no" });
    expect(output).toContain("To do: look at DATABASE_URL");
    expect(code).toBe(1);
  });
});
