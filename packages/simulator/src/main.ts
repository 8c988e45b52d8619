import { parseArgs } from "node:util";
import { startSimulator } from "./simulator.ts";

const HELP = `Starts the doubles of Twilio, of WhatsApp and of an OpenAI-compatible endpoint.

  --port <n>         default 3002
  --number <E.164>   a number the account owns; may be repeated

Environment, to give it these instead of new ones: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, OPENAI_API_KEY,
WHATSAPP_PHONE_NUMBER_ID, WHATSAPP_ACCESS_TOKEN, WHATSAPP_APP_SECRET, WHATSAPP_VERIFY_TOKEN.
`;

try {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "3002" },
      number: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else await start(portOf(values.port), values.number);
} catch (error) {
  process.stderr.write(`${explain(error)}\n--help shows how it is used.\n`);
  process.exitCode = 1;
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new RangeError(`--port takes a number from 0 to 65535, not "${text}"; 0 takes a free one`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === "EADDRINUSE") return `port ${port} is in use: choose another with --port`;
  if (code === "EACCES") return `port ${port} needs more rights: choose another with --port`;
  // parseArgs adds advice that few need; its first sentence says what is wrong.
  return code?.startsWith("ERR_PARSE_ARGS") ? (error.message.split(". ")[0] ?? "") : error.message;
}

/** Runs until the first SIGINT or SIGTERM, and says what a gateway needs to use it. */
async function start(port: number, numbers: string[]): Promise<void> {
  const {
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    OPENAI_API_KEY: openaiKey,
    WHATSAPP_PHONE_NUMBER_ID: phoneNumberId,
    WHATSAPP_ACCESS_TOKEN: accessToken,
    WHATSAPP_APP_SECRET: appSecret,
    WHATSAPP_VERIFY_TOKEN: verifyToken,
  } = process.env;
  const simulator = await startSimulator({
    port,
    numbers,
    ...(accountSid ? { accountSid } : {}),
    ...(authToken ? { authToken } : {}),
    ...(openaiKey ? { openaiKey } : {}),
    whatsApp: {
      ...(phoneNumberId ? { phoneNumberId } : {}),
      ...(accessToken ? { accessToken } : {}),
      ...(appSecret ? { appSecret } : {}),
      ...(verifyToken ? { verifyToken } : {}),
    },
  });
  const { whatsApp } = simulator;
  process.stdout.write(`# ${simulator.url} says what it can do. For the gateway's .env:
TWILIO_API_BASE_URL=${simulator.twilioUrl}
TWILIO_ACCOUNT_SID=${simulator.accountSid}
TWILIO_AUTH_TOKEN=${simulator.authToken}
OPENAI_BASE_URL=${simulator.openaiUrl}
OPENAI_API_KEY=${simulator.openaiKey}
WHATSAPP_API_URL=${whatsApp.apiUrl}
WHATSAPP_ACCESS_TOKEN=${whatsApp.accessToken}
WHATSAPP_PHONE_NUMBER_ID=${whatsApp.phoneNumberId}
WHATSAPP_APP_SECRET=${whatsApp.appSecret}
WHATSAPP_VERIFY_TOKEN=${whatsApp.verifyToken}
`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void simulator.close());
  }
}
