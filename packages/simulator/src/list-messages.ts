import type { ServerResponse } from "node:http";
import type { FaultSwitch } from "./faults.ts";
import type { LoggedMessage, MessageFilter, MessageLog } from "./message-log.ts";
import { messageResource } from "./message-resource.ts";
import { answerPage } from "./page.ts";
import type { TwilioAccount } from "./twilio-api.ts";
import { sendTwilioError } from "./twilio-error.ts";

/** Answers `GET Messages.json`: both directions, newest first, by To, From and DateSent, in pages. */
export function listMessages(
  deps: { account: TwilioAccount; messages: MessageLog; faults: FaultSwitch },
  response: ServerResponse,
  url: URL,
): void {
  const range = dateRange(url.searchParams);
  if (!range) {
    sendTwilioError(response, 400, 20001, "Unparsable DateSent");
    return;
  }
  const to = url.searchParams.get("To");
  const from = url.searchParams.get("From");
  const newestFirst = deps.messages.newestFirst({
    ...(to === null ? {} : { to }),
    ...(from === null ? {} : { from }),
  } satisfies MessageFilter);
  answerPage(deps.faults, response, url, {
    key: "messages",
    items: within(newestFirst, range),
    resource: (message) => messageResource(deps.account.accountSid, message),
  });
}

/** Ends at the first message that is too old: all that follow are older. */
function* within(
  newestFirst: Iterable<LoggedMessage>,
  range: { first: number; end: number },
): Generator<LoggedMessage, void> {
  for (const message of newestFirst) {
    if (message.at < range.first) return;
    if (message.at < range.end) yield message;
  }
}

const DAY = 86_400_000;

/**
 * From `first` up to, but not at, `end`, ms since 1970; null for an unparsable date. `DateSent>=2026-11-21` arrives as
 * the parameter `DateSent>`, and a client that encodes it whole as `DateSent>=`: both mean "on or after". Values are a
 * GMT day or an ISO time, compared in whole seconds as Twilio keeps them.
 */
function dateRange(query: URLSearchParams): { first: number; end: number } | null {
  let first = -Infinity;
  let end = Infinity;
  for (const [key, value] of query) {
    if (!key.startsWith("DateSent")) continue;
    const time = Date.parse(value);
    if (Number.isNaN(time)) return null;
    const start = Math.floor(time / 1000) * 1000;
    const width = /^\d{4}-\d\d-\d\d$/.test(value) ? DAY : 1000;
    const operator = key.slice("DateSent".length).replace("=", "");
    if (operator !== "<") first = Math.max(first, start);
    if (operator !== ">") end = Math.min(end, start + width);
  }
  return { first, end };
}
