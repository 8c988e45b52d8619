import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  DEFAULT_NUMBER,
  envelopeOf,
  messagesEntry,
  newWamid,
  textMessage,
} from "../packages/simulator/src/meta/envelope.ts";
import { serializeAsMeta, signatureHeaders } from "../packages/simulator/src/meta/signed-body.ts";
import { loadEnvironmentFile, readArguments, say } from "./terminal.ts";

const HELP = `Sends the running gateway a WhatsApp message, as a webhook of Meta's.

  npx tsx scripts/simulate-webhook.ts "Bonjour, ceci est un test"
  node scripts/simulate-webhook.ts "Bonjour, ceci est un test"

  --phone <number>    who writes (default +33612345678, unless --user-id is given)
  --user-id <id>      who writes, by Meta's user id such as US.13491208655302741918
  --to <id>           the phone_number_id (default WHATSAPP_PHONE_NUMBER_ID, else the simulator's ${DEFAULT_NUMBER.phoneNumberId})
  --id <id>           the message id; the same id again is a duplicate and gets no reply
  --count <n>         n different messages, all at once unless --delay says otherwise
  --delay <ms>        how long after one the next is sent, answered or not (default 0)
  --url <address>     the gateway (default http://localhost:3001)
  --help

Signed with WHATSAPP_APP_SECRET, for 360dialog with WHATSAPP_WEBHOOK_SECRET, of the environment or .env; without them not
signed, which a gateway takes that was started without credentials. The reply appears where the gateway sends it: with
npm start in its window.`;

const WEBHOOK_PATH = "/api/v1/whatsapp/webhook";
const TIMEOUT_MS = 30_000;

loadEnvironmentFile();
const options = readArguments(HELP, readOptions);
const answers: Promise<number | null>[] = [];
for (const [index, text] of options.texts.entries()) {
  if (index > 0 && options.delayMs > 0) await delay(options.delayMs);
  answers.push(post(text));
}
const statuses = await Promise.all(answers);
const advice = adviceOn(statuses.find((status) => status !== 200));
if (advice !== null) {
  process.stderr.write(`\n${advice}\n`);
  process.exitCode = 1;
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      phone: { type: "string" },
      "user-id": { type: "string" },
      to: { type: "string" },
      id: { type: "string" },
      count: { type: "string", default: "1" },
      delay: { type: "string", default: "0" },
      url: { type: "string", default: "http://localhost:3001" },
    },
  });
  const body = positionals.join(" ");
  const { id, "user-id": userId } = values;
  const count = wholeNumber("--count", values.count, 1);
  if (body === "") throw new Error('say what to write, for example "Bonjour, ceci est un test"');
  if (count > 1 && id !== undefined) throw new Error("--id names one message, --count several");
  const phone = values.phone ?? (userId === undefined ? "+33612345678" : undefined);
  if (phone !== undefined && !/^\+?[1-9]\d{6,14}$/.test(phone)) {
    throw new Error(`--phone takes a number such as +33612345678, not "${phone}"`);
  }
  const to = values.to ?? (process.env["WHATSAPP_PHONE_NUMBER_ID"] || DEFAULT_NUMBER.phoneNumberId);
  if (!/^\d+$/.test(to)) throw new Error(`--to takes a phone_number_id, digits, not "${to}"`);
  if (!URL.canParse(values.url)) throw new Error(`--url takes an address, not "${values.url}"`);
  const url = new URL(values.url);
  if (url.pathname === "/") url.pathname = WEBHOOK_PATH;
  return {
    sender: {
      ...(phone === undefined ? {} : { from: phone }),
      ...(userId === undefined ? {} : { userId }),
    },
    number: { ...DEFAULT_NUMBER, phoneNumberId: to },
    texts: Array.from({ length: count }, (_, index) => ({
      body: count === 1 ? body : `${body} (${index + 1})`,
      id: id ?? newWamid(),
    })),
    delayMs: wholeNumber("--delay", values.delay, 0),
    url: url.href,
  };
}

function wholeNumber(flag: string, text: string, min: number): number {
  const value = Number(text);
  if (text === "" || !Number.isSafeInteger(value) || value < min) {
    throw new Error(`${flag} takes a whole number from ${min}, not "${text}"`);
  }
  return value;
}

/** Posts one message and prints what became of it; null when nothing answered. */
async function post({ body, id }: { body: string; id: string }): Promise<number | null> {
  const { sender, number, url } = options;
  const message = textMessage(sender, { id, body, at: Date.now() });
  const json = serializeAsMeta(envelopeOf([messagesEntry(number, [message], "Customer")]));
  const startedAt = performance.now();
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...proofOf(json) },
      body: json,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = `HTTP ${response.status} ${await response.text()}`;
    const tookMs = Math.round(performance.now() - startedAt);
    say(`${sender.from ?? sender.userId}: ${body}  [${id}]\n  ${answer} (${tookMs} ms)`);
    return response.status;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    say(`${sender.from ?? sender.userId}: ${body}  [${id}]\n  no answer from ${url}: ${code}`);
    return null;
  }
}

function proofOf(json: string): Record<string, string> {
  const first = (name: string) => process.env[name]?.split(",")[0]?.trim() ?? "";
  const secrets = {
    appSecret: first("WHATSAPP_APP_SECRET"),
    webhookSecret: first("WHATSAPP_WEBHOOK_SECRET"),
  };
  return {
    ...(secrets.appSecret ? signatureHeaders("x-hub-signature-256", json, secrets) : {}),
    ...(secrets.webhookSecret ? signatureHeaders("x-webhook-secret", json, secrets) : {}),
  };
}

/** What to do about an answer that is not Meta's 200; null when all were. */
function adviceOn(status: number | null | undefined): string | null {
  switch (status) {
    case undefined:
      return null;
    case null:
      return "The gateway does not answer. Start it with: npm start (or name its address with --url)";
    case 401:
    case 403:
      return "The gateway does not believe the signature. Set WHATSAPP_APP_SECRET in .env to the app secret it was started with.";
    case 404:
    case 410:
      return `That is not the address of the webhook, which ends with ${WEBHOOK_PATH}: check --url.`;
    default:
      return status >= 500
        ? "The gateway could not store it; its log says why. Meta would repeat it: run this again with the same --id."
        : "The gateway refused it; its log says why.";
  }
}
