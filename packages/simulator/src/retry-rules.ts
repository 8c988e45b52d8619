export type FailureKind = "ct" | "rt" | "4xx" | "5xx";

/** How Twilio requests one webhook. All times in ms. */
export interface RetryRules {
  connectTimeoutMs: number;
  readTimeoutMs: number;
  totalTimeMs: number;
  retryCount: number;
  retryOn: ReadonlySet<FailureKind>;
}

const FAILURES: readonly FailureKind[] = ["ct", "rt", "4xx", "5xx"];

/**
 * The connection overrides in the fragment of a webhook URL, or Twilio's defaults: one retry, only when the TCP or TLS
 * connection fails, 15 s in all (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
 *
 * @param url a webhook URL such as `https://host/sms#rc=2&rp=5xx,ct,rt`
 * @throws RangeError for a value Twilio does not accept, so that a wrong setting shows here and not in production
 */
export function retryRules(url: string): RetryRules {
  const hash = url.indexOf("#");
  const overrides = new URLSearchParams(hash === -1 ? "" : url.slice(hash + 1));
  return {
    connectTimeoutMs: number(overrides, "ct", 100, 10_000, 5_000),
    readTimeoutMs: number(overrides, "rt", 100, 15_000, 15_000),
    totalTimeMs: number(overrides, "tt", 100, 15_000, 15_000),
    retryCount: number(overrides, "rc", 0, 5, 1),
    retryOn: policy(overrides.get("rp") ?? "ct"),
  };
}

function number(
  overrides: URLSearchParams,
  key: string,
  min: number,
  max: number,
  fallback: number,
): number {
  const text = overrides.get(key);
  if (text === null) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${key}=${text} in the webhook URL: allowed are ${min} to ${max}`);
  }
  return value;
}

function policy(text: string): ReadonlySet<FailureKind> {
  const words = text.split(",");
  if (words.includes("all")) return new Set(FAILURES);
  return new Set(
    words.map((word) => {
      const kind = FAILURES.find((failure) => failure === word);
      if (!kind) {
        throw new RangeError(
          `11243: rp=${text} in the webhook URL: allowed are ${FAILURES.join(", ")}, all`,
        );
      }
      return kind;
    }),
  );
}
