import { providers, twilioSettings, type Provider } from "@jobrun/messaging";
import { z } from "zod";

const flag = z
  .enum(["true", "false", "1", "0"])
  .transform((value) => value === "true" || value === "1");
const milliseconds = z.coerce.number().int().positive();
const url = z.url({
  protocol: /^https?$/,
  error: "must be a URL with http:// or https://",
  abort: true,
});
/** Paths are appended to it, and signatures are computed over the result. */
const publicUrl = url.refine(
  (address) => new URL(address).pathname === "/" && !/[?#]/.test(address),
  "must end after the host or the port: no path, as in https://gateway.example.com",
);
const e164 = z.string().regex(/^\+[1-9]\d{6,14}$/, "must be a number in E.164 with +");
/** Also when other keys are wrong, so that every problem is named at once. */
const always = () => true;

const keys = z.object({
  NODE_ENV: z.enum(["development", "test", "production"]).default("development"),
  HOST: z.string().default("0.0.0.0"),
  PORT: z.coerce.number().int().min(0).max(65535).default(3001),
  PUBLIC_BASE_URL: publicUrl.optional(),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, "must start with postgresql://"),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).default(10),
  DATABASE_QUERY_TIMEOUT_MS: milliseconds.default(5000),
  DATABASE_TRANSACTION_TIMEOUT_MS: milliseconds.default(30_000),
  ...twilioSettings,
  TWILIO_PHONE_NUMBER: e164.optional(),
  SYSTEM_FAILSAFE_SMS_NUMBER: e164.optional(),
  WEBHOOK_SIGNATURES: z.enum(["required", "off"]).default("required"),
  WEBHOOK_DEADLINE_MS: milliseconds.min(1000).default(9000),
  OPENAI_API_KEY: z.string().min(1).optional(),
  OPENAI_BASE_URL: url.optional(),
  OPENAI_MODEL: z.string().min(1).default("gpt-4.1-mini"),
  OPENAI_TIMEOUT_MS: milliseconds.default(8500),
  ASSISTANT_ON_FAILURE: z.enum(["retry", "scripted"]).default("retry"),
  ALERTS_DISABLED: flag.default(false),
  FOUNDER_ALERT_PHONE: e164.optional(),
  TWILIO_OPS_NUMBER: e164.optional(),
  ALERT_WEBHOOK_URL: url.optional(),
  PAGERDUTY_ROUTING_KEY: z.string().min(1).optional(),
  SWEEP_INTERVAL_SECONDS: z.coerce.number().positive().default(60),
  DEFERRED_OPERATOR_ALERT_MINUTES: z.coerce.number().positive().default(10),
  URGENT_SECOND_TEXT_MINUTES: z.coerce.number().positive().default(5),
  URGENT_FOUNDER_MINUTES: z.coerce.number().positive().default(15),
  CALLER_COOLDOWN_MINUTES: z.coerce.number().nonnegative().default(15),
  JWT_SECRET: z.string().min(32, "must have at least 32 characters").optional(),
  JWT_EXPIRES_IN: z
    .string()
    .regex(/^\d+[smhd]$/, "must be a number and s, m, h or d")
    .default("7d"),
  LOG_LEVEL: z.enum(["error", "warn", "info", "debug"]).default("info"),
  LOG_PRETTY: flag.default(false),
});

/** The keys above and what the providers read besides. */
function schemaOf(registered: readonly Provider[]) {
  const ofProviders: Record<never, z.ZodType> = Object.assign(
    {},
    ...registered.map(({ settings }) => settings),
  );
  return keys
    .extend(ofProviders)
    .refine((env) => env.WEBHOOK_SIGNATURES !== "off" || env.NODE_ENV !== "production", {
      path: ["WEBHOOK_SIGNATURES"],
      message: "cannot be off in production",
      when: always,
    })
    .refine((env) => env.NODE_ENV !== "production" || env.JWT_SECRET !== undefined, {
      path: ["JWT_SECRET"],
      message: "is required in production: it signs the tokens of the admin API",
      when: always,
    })
    .refine((env) => env.WEBHOOK_SIGNATURES !== "required" || env.PUBLIC_BASE_URL !== undefined, {
      path: ["PUBLIC_BASE_URL"],
      message: "is required: signatures are computed over the URL providers call",
      when: always,
    });
}

/** Every key the gateway reads. Each has its line in .env.example. */
export const configKeys: readonly string[] = Object.keys(schemaOf(providers).shape);

export type Config = Omit<z.infer<typeof keys>, "PUBLIC_BASE_URL"> & { PUBLIC_BASE_URL: string };

/** All that is wrong with the environment, one line per key. Values are never repeated. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: string[];
  constructor(problems: string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`The configuration has ${count}:\n  ${problems.join("\n  ")}`);
    this.problems = problems;
  }
}

/**
 * Reads the configuration. Empty values count as unset.
 *
 * @param env the environment, usually process.env
 * @param registered the providers whose keys count
 * @throws ConfigError naming every problem at once
 */
export function readConfig(
  env: Record<string, string | undefined>,
  registered: readonly Provider[] = providers,
): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = schemaOf(registered).safeParse(given);
  if (!result.success)
    throw new ConfigError(
      result.error.issues.map((issue) => {
        const key = issue.path.join(".");
        return `${key} ${messageOf(issue, given[key])}`;
      }),
    );
  const config = result.data;
  return {
    ...config,
    PUBLIC_BASE_URL: (config.PUBLIC_BASE_URL ?? `http://localhost:${config.PORT}`).replace(
      /\/$/,
      "",
    ),
  };
}

/**
 * Reads one key by the gateway's own rule, for a command that needs no more. An empty value counts as unset.
 *
 * @param env the environment, usually process.env
 * @throws ConfigError when the value is wrong, or missing where there is no default
 */
export function readKey<Key extends keyof typeof keys.shape>(
  env: Record<string, string | undefined>,
  key: Key,
): z.output<(typeof keys.shape)[Key]> {
  const given = env[key] || undefined;
  const rule: z.ZodType = keys.shape[key];
  const result = rule.safeParse(given);
  if (!result.success)
    throw new ConfigError(result.error.issues.map((issue) => `${key} ${messageOf(issue, given)}`));
  return result.data as z.output<(typeof keys.shape)[Key]>;
}

function messageOf(issue: z.core.$ZodIssue, given: string | undefined): string {
  if (issue.code !== "invalid_type") return issue.message;
  if (given === undefined) return "is missing";
  return issue.expected === "number" ? "must be a number" : issue.message;
}

/** What is switched on and what is not, for the start-up log. No value that is secret or personal. */
export function describeConfig(config: Config): Record<string, string> {
  return {
    assistant:
      config.OPENAI_API_KEY === undefined
        ? "scripted (no OPENAI_API_KEY)"
        : `openai ${config.OPENAI_MODEL}`,
    signatures: config.WEBHOOK_SIGNATURES,
    twilio:
      config.TWILIO_API_BASE_URL === undefined
        ? "api.twilio.com"
        : "another address (TWILIO_API_BASE_URL)",
    alerts: config.ALERTS_DISABLED ? "DISABLED" : "enabled",
    founderText: configured(
      config.FOUNDER_ALERT_PHONE && (config.TWILIO_OPS_NUMBER ?? config.TWILIO_PHONE_NUMBER),
    ),
    alertWebhook: configured(config.ALERT_WEBHOOK_URL),
    systemSender: configured(config.TWILIO_PHONE_NUMBER),
  };
}

function configured(value: string | undefined): string {
  return value ? "configured" : "not configured";
}
