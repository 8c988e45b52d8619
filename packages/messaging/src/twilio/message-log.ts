import twilio from "twilio";
import { z } from "zod";
import type { LoggedInbound, LogResult, ProviderLog } from "../channel.ts";
import { createClient, failureCode, type TwilioAccount } from "./client.ts";
import { parseInboundMessage } from "./inbound-message.ts";
import { Interrupted, within } from "./within.ts";

/**
 * Twilio's own log of an account's messages: `GET Messages.json`
 * (https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources),
 * newest first, read to the end. Nothing is asked twice: a failure is a result.
 *
 * @param timeoutMs the longest time one page may take.
 */
export function twilioMessageLog(account: TwilioAccount, timeoutMs: number): ProviderLog {
  let client: twilio.Twilio | undefined;
  const pages = (filter: Filter, signal: AbortSignal): AsyncGenerator<Entry[]> => {
    client ??= createClient(
      account,
      new twilio.RequestClient({ timeout: timeoutMs, autoRetry: false }),
    );
    return readPages(client, filter, timeoutMs, signal);
  };

  return {
    accepted: ({ from, to, body, since }, signal) =>
      complete(async () => {
        const start = wholeSecond(since);
        const found = new Map<string, Entry>();
        const keep = (entry: Entry): void => {
          const ours = entry.direction.startsWith("outbound") && entry.body === body;
          if (ours && createdAt(entry) >= start) found.set(entry.sid, entry);
        };
        const pair = { from, to };
        for await (const page of pages({ ...pair, dateSentAfter: since, pageSize: 1000 }, signal)) {
          page.forEach(keep);
        }
        // A queued message has no DateSent yet, and nothing says that the filter shows it. It could
        // be the one asked about even if the filter has shown an older one with the same words.
        for await (const page of pages({ ...pair, pageSize: 50 }, signal)) {
          page.forEach(keep);
          if (page.some((entry) => createdAt(entry) < start)) break;
        }
        return oldestFirst([...found.values()], createdAt).map(({ sid }) => sid);
      }),

    received: (since, signal) =>
      complete(async () => {
        const found: LoggedInbound[] = [];
        for await (const page of pages({ dateSentAfter: since, pageSize: 1000 }, signal)) {
          found.push(...page.flatMap((entry) => inbound(entry, account)));
        }
        return oldestFirst(found, ({ receivedAt }) => receivedAt.getTime());
      }),
  };
}

interface Filter {
  from?: string;
  to?: string;
  dateSentAfter?: Date;
  pageSize: number;
}

const Time = z.date().nullish();
const Entry = z.object({
  sid: z.string(),
  direction: z.string(),
  from: z.string().nullish(),
  to: z.string().nullish(),
  body: z.string().nullish(),
  numMedia: z.coerce.number().catch(0),
  dateSent: Time,
  dateCreated: Time,
});
type Entry = z.infer<typeof Entry>;

/** @throws when a page cannot be had or read, or takes too long, or the signal is aborted. */
async function* readPages(
  client: twilio.Twilio,
  filter: Filter,
  timeoutMs: number,
  signal: AbortSignal,
): AsyncGenerator<Entry[]> {
  let next: string | undefined;
  do {
    if (signal.aborted) throw new NoAnswer("aborted");
    const asked = next === undefined ? client.messages.page(filter) : client.messages.getPage(next);
    const page = await within(asked, timeoutMs, signal);
    if (page instanceof Interrupted) throw new NoAnswer(page.by);
    yield page.instances.map((instance) => Entry.parse(instance));
    next = page.nextPageUrl;
  } while (next !== undefined);
}

class NoAnswer extends Error {}

async function complete<T>(read: () => Promise<T[]>): Promise<LogResult<T>> {
  try {
    return { kind: "complete", found: await read() };
  } catch (error) {
    const code = error instanceof NoAnswer ? error.message : failureCode(error);
    return { kind: "failed", code };
  }
}

/** A message that cannot be read as a webhook could not have been read either, and is left out. */
function inbound(entry: Entry, { accountSid, apiBaseUrl }: TwilioAccount): LoggedInbound[] {
  const receivedAt = entry.dateSent ?? entry.dateCreated;
  if (entry.direction !== "inbound" || !receivedAt) return [];
  const parsed = parseInboundMessage(
    {
      MessageSid: entry.sid,
      AccountSid: accountSid,
      From: entry.from ?? "",
      To: entry.to ?? "",
      Body: entry.body ?? "",
      // The list tells how many there are; their own addresses are behind this one.
      ...(entry.numMedia > 0 && {
        NumMedia: "1",
        MediaUrl0: new URL(
          `/2010-04-01/Accounts/${accountSid}/Messages/${entry.sid}/Media.json`,
          apiBaseUrl ?? "https://api.twilio.com",
        ).href,
        MediaContentType0: "application/json",
      }),
    },
    accountSid,
  );
  return parsed.ok ? [{ ...parsed.message, receivedAt }] : [];
}

/** Twilio's dates have no fractions. */
function wholeSecond(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000;
}

/** One without a date cannot be told to be too old, so it is taken for new. */
function createdAt({ dateCreated, dateSent }: Entry): number {
  return (dateCreated ?? dateSent)?.getTime() ?? Infinity;
}

/** Of a list that is newest first. */
function oldestFirst<T>(newestFirst: T[], time: (item: T) => number): T[] {
  return newestFirst.toReversed().toSorted((a, b) => time(a) - time(b));
}
