import type { ServerResponse } from "node:http";
import type { FaultSwitch } from "./faults.ts";
import { sendJson } from "./http.ts";
import { sendTwilioError, usualCode } from "./twilio-error.ts";

/** Twilio's largest page (https://www.twilio.com/docs/usage/twilios-response). */
const MAX_PAGE_SIZE = 1000;

/** What a list endpoint shows. `items` is asked for no more than one page needs. */
export interface Listing<T extends { sid: string }> {
  /** The key under which the answer holds the page. */
  key: string;
  items: Iterable<T>;
  resource: (item: T) => unknown;
}

/**
 * Answers a list request with one page, and with the address of the next one while there is more. A page token names
 * the last item of the page before, so new items do not shift the pages.
 */
export function answerPage<T extends { sid: string }>(
  faults: FaultSwitch,
  response: ServerResponse,
  url: URL,
  listing: Listing<T>,
): void {
  const { listErrorStatus, listPageLimit } = faults.current;
  if (listErrorStatus !== null) {
    const code = usualCode(listErrorStatus);
    sendTwilioError(response, listErrorStatus, code, "Switched-on fault");
    return;
  }
  const wanted = Number(url.searchParams.get("PageSize") ?? 50);
  if (!Number.isInteger(wanted) || wanted < 1) {
    sendTwilioError(response, 400, 20001, "Unparsable PageSize");
    return;
  }
  const size = Math.min(wanted, MAX_PAGE_SIZE, listPageLimit ?? MAX_PAGE_SIZE);
  const page = take(listing.items, url.searchParams.get("PageToken"), size);
  if (page === null) {
    sendTwilioError(response, 400, 20001, "Unknown PageToken");
    return;
  }
  const number = Number(url.searchParams.get("Page") ?? 0);
  const next = page.hasMore ? pageUri(url, size, number + 1, page.items.at(-1)?.sid) : null;
  sendJson(response, 200, {
    [listing.key]: page.items.map(listing.resource),
    page: number,
    page_size: size,
    start: number * size,
    end: number * size + Math.max(page.items.length - 1, 0),
    uri: `${url.pathname}${url.search}`,
    first_page_uri: pageUri(url, size, 0, undefined),
    previous_page_uri: null,
    next_page_uri: next,
  });
}

/** The items after the one `token` names, or null when it names none of them. */
function take<T extends { sid: string }>(
  items: Iterable<T>,
  token: string | null,
  size: number,
): { items: T[]; hasMore: boolean } | null {
  const page: T[] = [];
  let begun = token === null;
  for (const item of items) {
    if (!begun) {
      begun = `PA${item.sid}` === token;
      continue;
    }
    if (page.length === size) return { items: page, hasMore: true };
    page.push(item);
  }
  return begun ? { items: page, hasMore: false } : null;
}

function pageUri(url: URL, size: number, page: number, lastSid: string | undefined): string {
  const query = new URLSearchParams(url.search);
  query.delete("PageToken");
  query.set("PageSize", String(size));
  query.set("Page", String(page));
  if (lastSid !== undefined) query.set("PageToken", `PA${lastSid}`);
  return `${url.pathname}?${query}`;
}
