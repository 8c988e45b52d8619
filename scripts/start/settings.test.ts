import { describe, expect, it } from "@jest/globals";
import { ConfigError } from "../../apps/backend/src/config.ts";
import { demoText } from "./demo-text.ts";
import { readSettings, SIMULATOR_URL, type Environment } from "./settings.ts";

const real = {
  TWILIO_ACCOUNT_SID: "AC00000000000000000000000000000001",
  TWILIO_AUTH_TOKEN: "token",
  PUBLIC_BASE_URL: "https://gateway.example.com",
};

/** The keys complained about. */
function problemsOf(env: Environment): string[] {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => problem.split(" ")[0] ?? "").toSorted();
  }
}

describe("the settings of npm start", () => {
  it("need nothing", () => {
    expect(readSettings({})).toMatchObject({ WEBHOOK_SIGNATURES: "off", LOG_PRETTY: "true" });
    expect(readSettings({ HOST: "", DATABASE_URL: "" })).toMatchObject({ HOST: "127.0.0.1" });
  });

  it("let nobody else on the network in while anyone is believed, unless HOST says so", () => {
    expect(readSettings({})["HOST"]).toBe("127.0.0.1");
    expect(readSettings({ HOST: "0.0.0.0" })["HOST"]).toBe("0.0.0.0");
    expect(readSettings({ WEBHOOK_SIGNATURES: "required" })["HOST"]).toBeUndefined();
    expect(readSettings(real)["HOST"]).toBeUndefined();
  });

  it.each(["nonsense", "mysql://db.example.com/jobrun"])(
    "refuse %s as DATABASE_URL before it is used",
    (address) => expect(problemsOf({ DATABASE_URL: address })).toEqual(["DATABASE_URL"]),
  );

  it.each(["garbage", "127.0.0.1:3002", "https://127.0.0.1:3002"])(
    "refuse %s as SIMULATOR_URL, by its name",
    (address) => expect(problemsOf({ SIMULATOR_URL: address })).toEqual(["SIMULATOR_URL"]),
  );

  it("blame a wrong PORT alone", () => {
    expect(problemsOf({ PORT: "abc" })).toEqual(["PORT"]);
  });

  it("lack in production, all named at once, what stands in elsewhere", () => {
    expect(problemsOf({ NODE_ENV: "production" })).toEqual([
      "DATABASE_URL",
      "JWT_SECRET",
      "PUBLIC_BASE_URL",
      "TWILIO_ACCOUNT_SID",
      "TWILIO_AUTH_TOKEN",
    ]);
    expect(problemsOf(real)).toEqual([]);
  });
});

describe("what the terminal shows", () => {
  const simulated = { SIMULATOR_URL, WHATSAPP_API_URL: SIMULATOR_URL };
  const shown = (env: Environment) => demoText("http://localhost:3001", null, env);

  it("promises that nothing leaves the machine only when nothing can", () => {
    expect(shown(simulated)).toContain("Twilio and WhatsApp: nothing leaves this machine");
    for (const env of [
      { SIMULATOR_URL },
      { ...simulated, OPENAI_API_KEY: "sk-x" },
      { ...simulated, ALERT_WEBHOOK_URL: "https://alerts.example.com" },
      { ...simulated, PAGERDUTY_ROUTING_KEY: "x" },
    ])
      expect(shown(env)).not.toContain("nothing leaves");
    expect(shown({ SIMULATOR_URL, OPENAI_API_KEY: "sk-x" })).toContain("WhatsApp, OpenAI");
  });
});
