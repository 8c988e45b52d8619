import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { CALL_OUTCOMES } from "@jobrun/simulator";
import type { CallToPlay } from "./call.ts";

export const HELP = `Texts or calls the running gateway as a customer would, and shows the conversation.

  pnpm simulate "I need a plumber today"
  pnpm simulate "I need a plumber today" --channel whatsapp
  pnpm simulate --call no-answer

  --channel <name>  sms (default) or whatsapp
  --call <outcome>  call instead of texting; what becomes of the call, or of the operator's phone when it rings:
                    ${CALL_OUTCOMES.join(", ")}
  --from <number>   the phone that texts or calls (default +447123456789; +447700900123 is the owner's);
                    a call may also come from: anonymous
  --to <number>     the business's number (default +447987654321); of whatsapp its phone_number_id (default the
                    simulator's first). It must be a number of the simulator's account
  --id <SM...>      the message id; the same id again is a duplicate and gets no reply. CA... is that of a call,
                    wamid... of whatsapp
  --count <n>       n different texts, all at once unless --delay says otherwise
  --delay <ms>      how long after one the next is sent, answered or not (default 0)
  --help

Environment: SIMULATOR_URL (default http://127.0.0.1:3002), PUBLIC_BASE_URL (default http://localhost:3001).`;

export interface Options {
  channel: "sms" | "whatsapp";
  from: string;
  /** null: the number the simulator has. */
  to: string | null;
  texts: { body: string; id: string }[];
  delayMs: number;
  /** Instead of texts. */
  call: CallToPlay | null;
}

/** @throws Error that says which argument is wrong, and how it should be */
export function readOptions(args?: string[]): Options {
  const { values, positionals } = parseArgs({
    ...(args ? { args } : {}),
    allowPositionals: true,
    options: {
      from: { type: "string", default: "+447123456789" },
      to: { type: "string" },
      channel: { type: "string", default: "sms" },
      call: { type: "string" },
      id: { type: "string" },
      count: { type: "string", default: "1" },
      delay: { type: "string", default: "0" },
    },
  });
  const isCall = values.call !== undefined;
  const from = isCall && values.from === "anonymous" ? values.from : e164("--from", values.from);
  const channel = channelOf(values.channel);
  const to = channel === "sms" ? e164("--to", values.to ?? "+447987654321") : numberId(values.to);
  const idKind = isCall ? "call" : channel;
  const id = values.id === undefined ? null : idOf(idKind, values.id);
  const count = wholeNumber("--count", values.count, 1);
  const body = positionals.join(" ");
  if (isCall) {
    const outcome = CALL_OUTCOMES.find((one) => one === values.call);
    if (!outcome) throw new Error(`--call takes one of ${CALL_OUTCOMES.join(", ")}`);
    if (body !== "" || count > 1) throw new Error("--call plays one call and texts nothing");
    if (to === null || channel !== "sms") throw new Error("--call has no --channel");
    const call = { from, to, outcome, sid: id ?? newId("call") };
    return { channel, from, to, texts: [], delayMs: 0, call };
  }
  if (body === "") throw new Error('say what to text, for example "I need a plumber today"');
  if (count > 1 && id !== null) throw new Error("--id names one message, --count makes several");
  const texts = Array.from({ length: count }, (_, index) => ({
    body: count === 1 ? body : `${body} (${index + 1})`,
    id: id ?? newId(channel),
  }));
  return { channel, from, to, texts, delayMs: wholeNumber("--delay", values.delay, 0), call: null };
}

/** What begins the provider's id of it. */
const ID_PREFIX = { sms: "SM", call: "CA", whatsapp: "wamid." };

function newId(kind: keyof typeof ID_PREFIX): string {
  return `${ID_PREFIX[kind]}${randomBytes(16).toString("hex")}`;
}

function channelOf(text: string): "sms" | "whatsapp" {
  if (text === "sms" || text === "whatsapp") return text;
  throw new Error(`--channel takes sms or whatsapp, not "${text}"`);
}

/** Meta's id of a number: digits, without "+". */
function numberId(text: string | undefined): string | null {
  if (text === undefined || /^\d+$/.test(text)) return text ?? null;
  throw new Error(`--to of whatsapp is a phone_number_id such as 106540352242922, not "${text}"`);
}

/** https://www.twilio.com/docs/glossary/what-e164 */
function e164(flag: string, text: string): string {
  if (/^\+[1-9]\d{6,14}$/.test(text)) return text;
  throw new Error(
    `${flag} takes a number such as +447123456789 (+, country, digits), not "${text}"`,
  );
}

/** https://www.twilio.com/docs/glossary/what-is-a-sid */
function idOf(kind: keyof typeof ID_PREFIX, text: string): string {
  const prefix = ID_PREFIX[kind];
  if (kind === "whatsapp") {
    if (/^wamid\.\S+$/.test(text)) return text;
    throw new Error(`--id of whatsapp begins with ${prefix}, not "${text}"`);
  }
  if (new RegExp(`^${prefix}[0-9a-f]{32}$`, "i").test(text)) return text;
  const what = kind === "sms" ? "a text" : "a call";
  throw new Error(`--id of ${what} is ${prefix} and 32 hexadecimal digits, not "${text}"`);
}

function wholeNumber(flag: string, text: string, min: number): number {
  const value = Number(text);
  if (text === "" || !Number.isSafeInteger(value) || value < min) {
    throw new Error(`${flag} takes a whole number from ${min}, not "${text}"`);
  }
  return value;
}
