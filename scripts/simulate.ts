import { setTimeout as delay } from "node:timers/promises";
import type { WebhookResult } from "@jobrun/simulator";
import { isConsentKeyword } from "../apps/backend/src/conversations/decide.ts";
import { playCall, type CallToPlay } from "./simulate/call.ts";
import { refuseUnknownNumber } from "./simulate/numbers.ts";
import { HELP, readOptions, type Options } from "./simulate/options.ts";
import { printReplies, sayAt, sayRequests } from "./simulate/replies.ts";
import { readArguments } from "./terminal.ts";

const REPLY_TIMEOUT_MS = 20_000;
const SAY_WAITING_AFTER_MS = 2_000;
const UNREACHABLE = "the gateway does not answer; start it with: npm start";
const TEXT_BACK_TIMEOUT_MS = 5_000;
const simulatorUrl = process.env["SIMULATOR_URL"] || "http://127.0.0.1:3002";
const gatewayUrl = process.env["PUBLIC_BASE_URL"] || "http://localhost:3001";

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = complain(error instanceof Error ? error.message : String(error));
}

async function main(): Promise<number> {
  const options = readArguments(HELP, () => readOptions());

  const stop = new AbortController();
  const events = await fetch(`${simulatorUrl}/admin/events`, { signal: stop.signal }).catch(
    () => null,
  );
  if (!events?.ok || !events.body) return complain("nothing listens; start it with: npm start");

  await refuseUnknownNumber(simulatorUrl, options);
  if (options.call) {
    const code = await callAndListen(options.call, events.body, stop.signal);
    stop.abort();
    return code;
  }
  const replies = printReplies(events.body, options);
  const results = await sendAll(options);
  const answered = results.some(({ final }) => final !== null && final.status < 300);
  // Twilio answers these words itself, and lets nothing of ours through after STOP.
  const silent =
    options.channel === "sms" && options.texts.every(({ body }) => isConsentKeyword(body));
  const limitMs = silent ? TEXT_BACK_TIMEOUT_MS : REPLY_TIMEOUT_MS;
  const inTime = answered && (await replyWithin(limitMs, replies.first, stop.signal));
  // Several texts may get several replies; the last has come when it stays quiet.
  if (inTime && options.texts.length > 1) await replies.quiet();
  stop.abort();
  if (!answered) {
    const unreachable = results.every(({ final }) => final === null);
    return complain(unreachable ? UNREACHABLE : "the gateway refused the text; its log says why");
  }
  if (inTime) return 0;
  if (!silent) return complain(noReply(options, replies.refused()));
  console.log(
    "          no reply: Twilio itself answers STOP, START and the like; the gateway keeps quiet",
  );
  return 0;
}

function noReply({ texts }: Options, wasRefused: boolean): string {
  const ids = texts.map(({ id }) => id);
  const reason = wasRefused
    ? "The gateway wrote one and the simulator refused it, see above."
    : `The gateway took the text and sent none. It stays silent to a message id it had before, to a customer who
texted STOP, in a conversation that a person took over, to an operator whose text is no command, on WhatsApp to a
number that is no business's, and while a tenant is paused or a number stopped.`;
  return `no reply within ${REPLY_TIMEOUT_MS / 1000} s. ${reason}
The gateway's log tells what it did, under providerMessageId ${ids.at(-1)}.`;
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
    console.log(
      "          (no text to this caller: an own, anonymous or opted-out number, or one that was texted lately)",
    );
  return 0;
}

async function sendAll({ channel, from, to, texts, delayMs }: Options): Promise<WebhookResult[]> {
  const running: Promise<WebhookResult>[] = [];
  for (const [index, { body, id }] of texts.entries()) {
    if (index > 0 && delayMs > 0) await delay(delayMs);
    sayAt(new Date(), `${from}: ${body}  [${id}]`);
    const message = { from, ...(to === null ? {} : { to }), body };
    running.push(channel === "sms" ? sendText(message, id) : sendWhatsApp(message, id));
  }
  return Promise.all(running);
}

function sendText(message: { from: string; body: string }, sid: string): Promise<WebhookResult> {
  return sendOne("/admin/text", {
    ...message,
    sid,
    webhookUrl: `${gatewayUrl}/sms#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000`,
    fallbackUrl: `${gatewayUrl}/sms/fallback`,
  });
}

function sendWhatsApp(message: { from: string; body: string }, id: string): Promise<WebhookResult> {
  const webhookUrl = `${gatewayUrl}/api/v1/whatsapp/webhook`;
  return sendOne("/admin/whatsapp/text", { ...message, id, webhookUrl });
}

async function sendOne(route: string, message: object): Promise<WebhookResult> {
  const startedAt = performance.now();
  const response = await fetch(`${simulatorUrl}${route}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
  if (!response.ok) throw new Error(`the simulator refused it: ${await response.text()}`);
  const result = (await response.json()) as WebhookResult;
  const tookMs = Math.round(performance.now() - startedAt);
  sayRequests(result.attempts);
  console.log(`          (webhook done after ${tookMs} ms)`);
  return result;
}

/** Waits for the first reply, and says so when it takes a while. */
async function replyWithin(
  limitMs: number,
  first: Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  const waiting = setTimeout(() => {
    console.log(`          waiting for a reply, up to ${limitMs / 1000} s…`);
  }, SAY_WAITING_AFTER_MS);
  const inTime = await Promise.race([first, timeOut(limitMs, signal)]);
  clearTimeout(waiting);
  return inTime;
}

async function timeOut(limitMs: number, signal: AbortSignal): Promise<false> {
  await delay(limitMs, undefined, { signal }).catch(() => undefined);
  return false;
}

function complain(message: string): number {
  console.error(message);
  return 1;
}
