import { BlockList, isIPv4 } from "node:net";
import { ConfigError, readConfig } from "../../apps/backend/src/config.ts";

export interface Settings {
  /** null: the embedded PostgreSQL of `npm start`. */
  databaseUrl: string | null;
  publicBaseUrl: string;
  twilio: { accountSid: string; authTokens: string[]; apiBaseUrl?: string };
}

const KEYS = [
  "DATABASE_URL",
  "TWILIO_ACCOUNT_SID",
  "TWILIO_AUTH_TOKEN",
  "TWILIO_API_BASE_URL",
  "PUBLIC_BASE_URL",
];
/** Stands for an address that is known only when the server runs. */
const EMBEDDED = "postgresql://embedded";

/**
 * What `pnpm provision` needs of the gateway's configuration, read by the gateway's own rules.
 *
 * @param env the environment, usually process.env
 * @throws Error that lists all that is missing or wrong, and says what to do
 */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const given = Object.fromEntries(KEYS.map((key) => [key, env[key]]));
  // What else production asks for is the gateway's business.
  if (env["NODE_ENV"] !== "production") given["DATABASE_URL"] ||= EMBEDDED;
  const config = readConfigOrExplain(given);
  const { PUBLIC_BASE_URL: publicBaseUrl, TWILIO_API_BASE_URL: apiBaseUrl } = config;
  if (apiBaseUrl === undefined && isOnThisNetwork(new URL(publicBaseUrl).hostname))
    throw new Error(unreachable(publicBaseUrl));
  return {
    databaseUrl: config.DATABASE_URL === EMBEDDED ? null : config.DATABASE_URL,
    publicBaseUrl,
    twilio: {
      accountSid: config.TWILIO_ACCOUNT_SID,
      authTokens: config.TWILIO_AUTH_TOKEN,
      ...(apiBaseUrl === undefined ? {} : { apiBaseUrl }),
    },
  };
}

function readConfigOrExplain(env: Record<string, string | undefined>) {
  try {
    return readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const isDemo = !env["TWILIO_ACCOUNT_SID"];
    throw new Error(
      [
        "Nothing was looked at or changed. The configuration lacks what it takes:",
        "",
        ...error.problems.map((problem) => `  ${problem}`),
        "",
        "To do: set them in .env or in the environment; .env.example says what each one is.",
        ...(isDemo
          ? ["The simulator of `npm start` needs none of this: its numbers are set when it starts."]
          : []),
      ].join("\n"),
      { cause: error },
    );
  }
}

function unreachable(publicBaseUrl: string): string {
  return [
    `Nothing was looked at or changed. Twilio cannot reach PUBLIC_BASE_URL=${publicBaseUrl}: it is an address of this machine or network.`,
    "",
    "To do: set PUBLIC_BASE_URL to the https:// address at which the internet reaches this gateway (a tunnel will do to",
    "try), or TWILIO_API_BASE_URL to a simulator.",
  ].join("\n");
}

/** Loopback and private addresses: https://www.rfc-editor.org/rfc/rfc6890 */
const local = new BlockList();
local.addSubnet("0.0.0.0", 8);
local.addSubnet("10.0.0.0", 8);
local.addSubnet("127.0.0.0", 8);
local.addSubnet("169.254.0.0", 16);
local.addSubnet("172.16.0.0", 12);
local.addSubnet("192.168.0.0", 16);

function isOnThisNetwork(hostname: string): boolean {
  if (isIPv4(hostname)) return local.check(hostname);
  return /^(?:(?:.+\.)?localhost|[^.:]+|\[(?:::1?|f[cde][\da-f:]*)\])$/.test(hostname);
}
