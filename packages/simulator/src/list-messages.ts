import type { ServerResponse } from "node:http";
import { sendJson } from "./http.ts";
import type { LoggedMessage, MessageLog } from "./message-log.ts";
import { messageResource } from "./message-resource.ts";
import type { TwilioAccount } from "./twilio-api.ts";
import { sendTwilioError } from "./twilio-error.ts";

/**
 * Answers `GET Messages.json`: both directions, newest first, by To, From and DateSent, in pages of at most 1000.
 * A page token names the last message of the page before, so new messages do not shift the pages.
 */
export function listMessages(
  deps: { account: TwilioAccount; messages: MessageLog },
  response: ServerResponse,
  url: URL,
): void {
  const query = url.searchParams;
  const inRange = dateFilter(query);
  const pageSize = Number(query.get("PageSize") ?? 50);
  if (!inRange || !Number.isInteger(pageSize) || pageSize < 1) {
    sendTwilioError(response, 400, 20001, "Unparsable DateSent or PageSize");
    return;
  }
  const size = Math.min(pageSize, 1000);
  const to = query.get("To");
  const from = query.get("From");
  const matching = deps.messages
    .newestFirst()
    .filter(
      (message) =>
        (to === null || message.to === to) &&
        (from === null || message.from === from) &&
        inRange(message),
    );
  const token = query.get("PageToken");
  const last = token === null ? -1 : matching.findIndex(({ sid }) => token === `PA${sid}`);
  if (token !== null && last === -1) {
    sendTwilioError(response, 400, 20001, "Unknown PageToken");
    return;
  }

  const start = last + 1;
  const page = matching.slice(start, start + size);
  const number = Number(query.get("Page") ?? 0);
  const hasNext = start + size < matching.length;
  sendJson(response, 200, {
    messages: page.map((message) => messageResource(deps.account.accountSid, message)),
    page: number,
    page_size: size,
    start: number * size,
    end: number * size + Math.max(page.length - 1, 0),
    uri: `${url.pathname}${url.search}`,
    first_page_uri: pageUri(url, size, 0, null),
    previous_page_uri: null,
    next_page_uri: hasNext ? pageUri(url, size, number + 1, page.at(-1)?.sid ?? null) : null,
  });
}

function pageUri(url: URL, size: number, page: number, lastSid: string | null): string {
  const query = new URLSearchParams(url.search);
  query.delete("PageToken");
  query.set("PageSize", String(size));
  query.set("Page", String(page));
  if (lastSid !== null) query.set("PageToken", `PA${lastSid}`);
  return `${url.pathname}?${query}`;
}

const DAY = 86_400_000;

/**
 * `DateSent>=2026-11-21` arrives as the parameter `DateSent>`, and a client that encodes it whole as `DateSent>=`:
 * both mean "on or after". Values are a GMT day or an ISO time, compared in whole seconds as Twilio keeps them.
 */
function dateFilter(query: URLSearchParams): ((message: LoggedMessage) => boolean) | null {
  const tests: ((at: number) => boolean)[] = [];
  for (const [key, value] of query) {
    if (!key.startsWith("DateSent")) continue;
    const time = Date.parse(value);
    if (Number.isNaN(time)) return null;
    const width = /^\d{4}-\d\d-\d\d$/.test(value) ? DAY : 1000;
    const first = Math.floor(time / 1000) * 1000;
    const operator = key.slice("DateSent".length).replace("=", "");
    if (operator === ">") tests.push((at) => at >= first);
    else if (operator === "<") tests.push((at) => at < first + width);
    else tests.push((at) => at >= first && at < first + width);
  }
  return (message) => tests.every((test) => test(message.at));
}
