import { ConfigError, readConfig } from "../../apps/backend/src/config.ts";

export type Environment = Record<string, string | undefined>;

export const SIMULATOR_URL = "http://127.0.0.1:3002";

/** Stand for what is known only once the doubles run; none of them is used. */
const STAND_INS = {
  DATABASE_URL: "postgresql://embedded",
  TWILIO_ACCOUNT_SID: "AC00000000000000000000000000000000",
  TWILIO_AUTH_TOKEN: "simulated",
  PUBLIC_BASE_URL: "http://localhost",
};

/**
 * Checks all settings before anything is started or changed.
 *
 * @returns them, with what `npm start` sets where they say nothing
 * @throws ConfigError naming every problem at once
 */
export function readSettings(given: Environment): Environment {
  const env = { ...given };
  // Not a default of a spread: a copied .env.example sets every key, to nothing.
  env["LOG_PRETTY"] ||= "true";
  if (isSimulated(env)) {
    env["WEBHOOK_SIGNATURES"] ||= "off";
    // Who reaches the gateway can text as anyone, the owner too.
    if (env["WEBHOOK_SIGNATURES"] === "off") env["HOST"] ||= "127.0.0.1";
    env["SIMULATOR_URL"] ||= SIMULATOR_URL;
  }
  const problems = [...problemsOf(withStandIns(env)), ...simulatorProblems(env)];
  if (problems.length > 0) throw new ConfigError(problems);
  return env;
}

/** The simulator stands in for Twilio: never in production. */
export function isSimulated(env: Environment): boolean {
  return !env["TWILIO_ACCOUNT_SID"] && env["NODE_ENV"] !== "production";
}

function withStandIns(env: Environment): Environment {
  if (env["NODE_ENV"] === "production") return env;
  const { DATABASE_URL, ...ofTwilio } = STAND_INS;
  const all = { DATABASE_URL, ...(isSimulated(env) ? ofTwilio : {}) };
  const missing = Object.entries(all).filter(([key]) => !env[key]);
  return { ...env, ...Object.fromEntries(missing) };
}

function problemsOf(env: Environment): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function simulatorProblems(env: Environment): string[] {
  const address = env["SIMULATOR_URL"] ?? "";
  if (!isSimulated(env) || (URL.canParse(address) && new URL(address).protocol === "http:"))
    return [];
  return [`SIMULATOR_URL must be an address of this machine, such as ${SIMULATOR_URL}`];
}
