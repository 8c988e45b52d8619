import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CALL_OUTCOMES, type WebhookResult } from "@jobrun/simulator";
import { playCall, type CallToPlay } from "./simulate/call.ts";
import { printReplies, sayAt, sayRequests } from "./simulate/replies.ts";

const HELP = `Texts or calls the running gateway as a customer would, and shows the conversation.

  pnpm simulate "I need a plumber today"
  pnpm simulate --call no-answer

  --call <outcome>  call instead of texting; what becomes of the call, or of the operator's phone when it rings:
                    ${CALL_OUTCOMES.join(", ")}
  --from <number>   the customer's phone (default +447123456789)
  --to <number>     the business's number (default +447987654321)
  --id <SM...>      the message id; the same id again is a duplicate and gets no reply. CA... is that of a call
  --count <n>       n different texts, one after the other
  --delay <ms>      wait between two of them (default 0: all at once)
  --help

Environment: SIMULATOR_URL (default http://127.0.0.1:3002), PUBLIC_BASE_URL (default http://localhost:3001).
`;
const REPLY_TIMEOUT_MS = 20_000;
const UNREACHABLE = "the gateway does not answer; start it with: npm start";
const TEXT_BACK_TIMEOUT_MS = 5_000;
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

  if (options.call) {
    const code = await callAndListen(options.call, events.body, stop.signal);
    stop.abort();
    return code;
  }
  const replies = printReplies(events.body, options);
  const results = await sendAll(options);
  const answered = results.some(({ final }) => final !== null && final.status < 300);
  const inTime =
    answered && (await Promise.race([replies.first, timeOut(REPLY_TIMEOUT_MS, stop.signal)]));
  // Several texts may get several replies; the last has come when it stays quiet.
  if (inTime && options.texts.length > 1) await replies.quiet();
  stop.abort();
  if (!answered) {
    const unreachable = results.every(({ final }) => final === null);
    return complain(unreachable ? UNREACHABLE : "the gateway refused the text; its log says why");
  }
  return inTime ? 0 : complain(`no reply within ${REPLY_TIMEOUT_MS / 1000} s`);
}

/** Replies are read after the call, so that they are printed after it; the stream has kept them. */
async function callAndListen(
  call: CallToPlay,
  events: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  const outcome = await playCall(simulatorUrl, gatewayUrl, call);
  if (outcome === "unreachable") return complain(UNREACHABLE);
  if (outcome === "refused") return complain("the gateway refused the call; its log says why");
  const { first } = printReplies(events, call);
  if (!(await Promise.race([first, timeOut(TEXT_BACK_TIMEOUT_MS, signal)])))
    console.log("          (no text back: the call was taken, or this caller has one already)");
  return 0;
}

interface Options {
  from: string;
  to: string;
  texts: { body: string; sid: string }[];
  delayMs: number;
  /** Instead of texts. */
  call: CallToPlay | null;
}

/** The texts to send, or an exit code when there is nothing to do. */
function readOptions(): Options | number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        from: { type: "string", default: "+447123456789" },
        to: { type: "string", default: "+447987654321" },
        call: { type: "string" },
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
    const { from, to } = values;
    if (values.call !== undefined) {
      const outcome = CALL_OUTCOMES.find((one) => one === values.call);
      if (!outcome) throw new Error(`--call takes one of ${CALL_OUTCOMES.join(", ")}`);
      if (body !== "" || count > 1) throw new Error("--call plays one call and texts nothing");
      const sid = values.id ?? newId("CA");
      return { from, to, texts: [], delayMs: 0, call: { from, to, outcome, sid } };
    }
    if (body === "") throw new Error('say what to text, for example "I need a plumber today"');
    if (count > 1 && values.id !== undefined) {
      throw new Error("--id names one message, --count makes several");
    }
    const texts = Array.from({ length: count }, (_, index) => ({
      body: count === 1 ? body : `${body} (${index + 1})`,
      sid: values.id ?? newId("SM"),
    }));
    const delayMs = wholeNumber("--delay", values.delay, 0);
    return { from, to, texts, delayMs, call: null };
  } catch (error) {
    return complain(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
}

function newId(prefix: "SM" | "CA"): string {
  return `${prefix}${randomBytes(16).toString("hex")}`;
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
    sayAt(new Date(), `${from}: ${body}  [${sid}]`);
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
  sayRequests(result.attempts);
  console.log(`          (webhook done after ${tookMs} ms)`);
  return result;
}

async function timeOut(limitMs: number, signal: AbortSignal): Promise<false> {
  await delay(limitMs, undefined, { signal }).catch(() => undefined);
  return false;
}

function complain(message: string): number {
  console.error(message);
  return 1;
}
