import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import { ConfigError, configKeys, describeConfig, readConfig, readKey } from "./config.ts";

const enough = {
  PUBLIC_BASE_URL: "https://gateway.example.com",
  DATABASE_URL: "postgresql://gateway@db.example.com/jobrun",
  TWILIO_ACCOUNT_SID: "AC00000000000000000000000000000001",
  TWILIO_AUTH_TOKEN: "token",
};

/** The problems of an environment, each as it is printed. */
function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function keysOf(problems: string[]): string[] {
  return problems.map((problem) => problem.split(" ")[0] ?? "").toSorted();
}

describe("the configuration", () => {
  it("needs four values and has a default for all others", () => {
    expect(readConfig(enough)).toMatchObject({
      NODE_ENV: "development",
      PORT: 3001,
      WEBHOOK_SIGNATURES: "required",
      WEBHOOK_DEADLINE_MS: 9000,
      ALERTS_DISABLED: false,
    });
  });

  it("names every problem at once, those between two keys included", () => {
    const problems = problemsOf({
      NODE_ENV: "production",
      PORT: "70000",
      WEBHOOK_SIGNATURES: "off",
      TWILIO_AUTH_TOKEN: "one,,two",
      OPENAI_TIMEOUT_MS: "-1",
      ALERTS_DISABLED: "yes",
      FOUNDER_ALERT_PHONE: "07700900123",
    });
    expect(keysOf(problems)).toEqual([
      "ALERTS_DISABLED",
      "DATABASE_URL",
      "FOUNDER_ALERT_PHONE",
      "JWT_SECRET",
      "OPENAI_TIMEOUT_MS",
      "PORT",
      "TWILIO_ACCOUNT_SID",
      "TWILIO_AUTH_TOKEN",
      "WEBHOOK_SIGNATURES",
    ]);
    expect(keysOf(problemsOf({}))).toEqual([
      "DATABASE_URL",
      "PUBLIC_BASE_URL",
      "TWILIO_ACCOUNT_SID",
      "TWILIO_AUTH_TOKEN",
    ]);
  });

  it("puts every problem into the one message that is printed", () => {
    expect(() => readConfig({})).toThrow(
      /has 4 problems:[^]*DATABASE_URL is missing[^]*PUBLIC_BASE_URL is required/,
    );
    expect(() => readConfig({ ...enough, PORT: "no" })).toThrow(
      /has 1 problem:\n  PORT must be a number$/,
    );
  });

  it.each(configKeys)("never repeats a value: %s", (key) => {
    const wrong = "hunter2-+447700900123";
    expect(problemsOf({ ...enough, [key]: wrong }).join("\n")).not.toContain("hunter2");
  });

  it.each([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ])("reads the flag %s as %s", (written, read) => {
    expect(readConfig({ ...enough, ALERTS_DISABLED: written }).ALERTS_DISABLED).toBe(read);
  });

  it.each(["yes", "on", "TRUE", "False", "2", " "])("refuses the flag %j", (written) => {
    expect(keysOf(problemsOf({ ...enough, ALERTS_DISABLED: written }))).toEqual([
      "ALERTS_DISABLED",
    ]);
  });

  it("takes an empty value as unset, as a copied .env.example has them", () => {
    const empty = Object.fromEntries(configKeys.map((key) => [key, ""]));
    expect(readConfig({ ...empty, ...enough })).toEqual(readConfig(enough));
    expect(keysOf(problemsOf(empty))).toEqual(keysOf(problemsOf({})));
  });

  it("refuses unchecked signatures in production and allows them elsewhere", () => {
    const off = { ...enough, WEBHOOK_SIGNATURES: "off" };
    expect(problemsOf({ ...off, NODE_ENV: "production", JWT_SECRET: "s".repeat(32) })).toEqual([
      "WEBHOOK_SIGNATURES cannot be off in production",
    ]);
    expect(problemsOf({ ...off, NODE_ENV: "development" })).toEqual([]);
  });

  it("needs the public address as long as signatures are checked", () => {
    const { PUBLIC_BASE_URL: _, ...local } = enough;
    expect(keysOf(problemsOf(local))).toEqual(["PUBLIC_BASE_URL"]);
    const unchecked = readConfig({ ...local, WEBHOOK_SIGNATURES: "off", PORT: "4000" });
    expect(unchecked.PUBLIC_BASE_URL).toBe("http://localhost:4000");
  });

  it.each(["gateway.example.com", "localhost:3001", "ftp://gateway.example.com"])(
    "refuses %s as an address: providers call http or https",
    (address) => {
      expect(keysOf(problemsOf({ ...enough, PUBLIC_BASE_URL: address }))).toEqual([
        "PUBLIC_BASE_URL",
      ]);
    },
  );

  it.each([
    "https://gateway.example.com/some/path/",
    "https://gateway.example.com/?x=1",
    "https://gateway.example.com#sms",
  ])("refuses %s as the public address: paths are appended to it", (address) => {
    expect(problemsOf({ ...enough, PUBLIC_BASE_URL: address })).toEqual([
      "PUBLIC_BASE_URL must end after the host or the port: no path, as in https://gateway.example.com",
    ]);
  });

  it("gives a command one key by the same rule, and needs no other for it", () => {
    expect(readKey({ JWT_EXPIRES_IN: "" }, "JWT_EXPIRES_IN")).toBe("7d");
    expect(() => readKey({ JWT_EXPIRES_IN: "banana" }, "JWT_EXPIRES_IN")).toThrow(
      "JWT_EXPIRES_IN must be a number and s, m, h or d",
    );
    expect(() => readKey({}, "DATABASE_URL")).toThrow("DATABASE_URL is missing");
    expect(() => readKey({ DATABASE_URL: "mysql://db" }, "DATABASE_URL")).toThrow(
      "DATABASE_URL must start with postgresql://",
    );
  });

  it("takes several auth tokens, so that one can be replaced without a gap", () => {
    expect(readConfig({ ...enough, TWILIO_AUTH_TOKEN: "new, old" }).TWILIO_AUTH_TOKEN).toEqual([
      "new",
      "old",
    ]);
  });

  it("is described at start-up without a secret or a number", () => {
    const described = JSON.stringify(
      describeConfig(
        readConfig({
          ...enough,
          OPENAI_API_KEY: "sk-secret",
          FOUNDER_ALERT_PHONE: "+447700900123",
        }),
      ),
    );
    for (const value of [
      enough.TWILIO_AUTH_TOKEN + '"',
      "sk-secret",
      "7700900123",
      enough.DATABASE_URL,
    ])
      expect(described).not.toContain(value);
  });

  it("has every key in .env.example, with its meaning, and no other", async () => {
    const example = await readFile(new URL("../../../.env.example", import.meta.url), "utf8");
    const listed = [...example.matchAll(/^# \S.*\n#? ?([A-Z_]+)=/gm)].map((match) => match[1]);
    const assigned = [...example.matchAll(/^#? ?([A-Z][A-Z_]+)=/gm)].map((match) => match[1]);
    expect(listed).toEqual(assigned);
    expect(assigned.toSorted()).toEqual(configKeys.toSorted());
  });
});
