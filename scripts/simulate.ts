import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { SentMessage, WebhookResult } from "@jobrun/simulator";

const HELP = `Texts the running gateway as a customer would, and shows the conversation.

  pnpm simulate "I need a plumber today"

  --from <number>   the customer's phone (default +447123456789)
  --to <number>     the business's number (default +447987654321)
  --id <SM...>      the message id; the same id again is a duplicate and gets no reply
  --count <n>       n different texts, one after the other
  --delay <ms>      wait between two of them (default 0: all at once)
  --help

Environment: SIMULATOR_URL (default http://127.0.0.1:3002), PUBLIC_BASE_URL (default http://localhost:3001).
`;
const REPLY_TIMEOUT_MS = 20_000;
const QUIET_MS = 1_500;
const simulatorUrl = process.env["SIMULATOR_URL"] ?? "http://127.0.0.1:3002";
const gatewayUrl = process.env["PUBLIC_BASE_URL"] ?? "http://localhost:3001";

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "number") return options;

  const stop = new AbortController();
  const events = await fetch(`${simulatorUrl}/admin/events`, { signal: stop.signal }).catch(
    () => null,
  );
  if (!events?.ok || !events.body) return complain("nothing listens; start it with: npm start");

  const replies = printReplies(events.body, options);
  const results = await sendAll(options);
  const answered = results.some(({ final }) => final !== null && final.status < 300);
  const inTime = answered && (await Promise.race([replies.first, timeOut(stop.signal)]));
  // Several texts may get several replies; the last has come when it stays quiet.
  if (inTime && options.texts.length > 1) await replies.quiet();
  stop.abort();
  if (!answered) {
    const unreachable = results.every(({ final }) => final === null);
    return complain(
      unreachable
        ? "the gateway does not answer; start it with: npm start"
        : "the gateway refused the text; its log says why",
    );
  }
  return inTime ? 0 : complain(`no reply within ${REPLY_TIMEOUT_MS / 1000} s`);
}

interface Options {
  from: string;
  to: string;
  texts: { body: string; sid: string }[];
  delayMs: number;
}

/** The texts to send, or an exit code when there is nothing to do. */
function readOptions(): Options | number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        from: { type: "string", default: "+447123456789" },
        to: { type: "string", default: "+447987654321" },
        id: { type: "string" },
        count: { type: "string", default: "1" },
        delay: { type: "string", default: "0" },
        help: { type: "boolean" },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const count = wholeNumber("--count", values.count, 1);
    const body = positionals.join(" ");
    if (body === "") throw new Error('say what to text, for example "I need a plumber today"');
    if (count > 1 && values.id !== undefined) {
      throw new Error("--id names one message, --count makes several");
    }
    const texts = Array.from({ length: count }, (_, index) => ({
      body: count === 1 ? body : `${body} (${index + 1})`,
      sid: values.id ?? `SM${randomBytes(16).toString("hex")}`,
    }));
    const delayMs = wholeNumber("--delay", values.delay, 0);
    return { from: values.from, to: values.to, texts, delayMs };
  } catch (error) {
    return complain(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

function wholeNumber(flag: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min) {
    throw new Error(`${flag} takes a whole number from ${min}, not "${text}"`);
  }
  return value;
}

async function sendAll({ from, to, texts, delayMs }: Options): Promise<WebhookResult[]> {
  const running: Promise<WebhookResult>[] = [];
  for (const [index, { body, sid }] of texts.entries()) {
    if (index > 0 && delayMs > 0) await delay(delayMs);
    say(new Date(), from, body, `  [${sid}]`);
    running.push(sendOne({ from, to, body, sid }));
  }
  return Promise.all(running);
}

async function sendOne(message: {
  from: string;
  to: string;
  body: string;
  sid: string;
}): Promise<WebhookResult> {
  const startedAt = performance.now();
  const response = await fetch(`${simulatorUrl}/admin/text`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...message,
      webhookUrl: `${gatewayUrl}/sms#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000`,
      fallbackUrl: `${gatewayUrl}/sms/fallback`,
    }),
  });
  if (!response.ok) throw new Error(`the simulator refused it: ${await response.text()}`);
  const result = (await response.json()) as WebhookResult;
  const tookMs = Math.round(performance.now() - startedAt);
  for (const attempt of result.attempts) {
    const answer = attempt.error ?? `${attempt.status} ${attempt.contentType} ${attempt.body}`;
    console.log(`          webhook ${new URL(attempt.url).pathname}: ${answer}`);
  }
  console.log(`          (webhook done after ${tookMs} ms)`);
  return result;
}

/**
 * Prints the replies to the customer as they are sent, until the stream is aborted. `first` resolves with true at the
 * first, with false if the stream ends before; `quiet` resolves when none has come for a while.
 */
function printReplies(stream: ReadableStream<Uint8Array>, { from, to }: Options) {
  const first = Promise.withResolvers<boolean>();
  let lastAt = Date.now();
  const read = async (): Promise<void> => {
    let pending = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      const events = (pending + chunk).split("\n\n");
      pending = events.pop() ?? "";
      for (const event of events) {
        if (!event.startsWith("data: ")) continue;
        const sent = JSON.parse(event.slice("data: ".length)) as SentMessage;
        if (sent.to !== from || sent.from !== to) continue;
        say(new Date(sent.at), sent.from, sent.body, "");
        lastAt = Date.now();
        first.resolve(true);
      }
    }
  };
  // The stream ends with an error when it is aborted, or when the simulator stops: either way nothing more will come.
  read().then(
    () => first.resolve(false),
    () => first.resolve(false),
  );
  const quiet = async (): Promise<void> => {
    while (Date.now() - lastAt < QUIET_MS) await delay(QUIET_MS - (Date.now() - lastAt));
  };
  return { first: first.promise, quiet };
}

async function timeOut(signal: AbortSignal): Promise<false> {
  await delay(REPLY_TIMEOUT_MS, undefined, { signal }).catch(() => undefined);
  return false;
}

function say(at: Date, who: string, text: string, note: string): void {
  console.log(`${at.toTimeString().slice(0, 8)}  ${who}: ${text}${note}`);
}

function complain(message: string): number {
  console.error(message);
  return 1;
}
