import type { FailedAttempt } from "@jobrun/messaging";
import type { Logger } from "winston";

/**
 * Logs each attempt to send that failed, in the words that people grep for, and with the channel
 * instead of "SMS" where it is another.
 *
 * @param trace what else the lines carry: whose text it is
 */
export function logAttempts(
  logger: Logger,
  channel: string,
  trace: Record<string, unknown>,
): (failure: FailedAttempt) => void {
  const what = `${channel === "sms" ? "SMS" : channel} send`;
  return ({ attempt, attempts, outcome, retryInMs }) => {
    const { kind } = outcome;
    const code = outcome.kind === "accepted" ? undefined : outcome.code;
    const fields = { ...trace, channel, outcome: kind, code };
    logger.warn(`${what} failed (attempt ${attempt}/${attempts})`, fields);
    if (retryInMs !== null) logger.info(`Retrying ${what} in ${retryInMs}ms`, fields);
  };
}
