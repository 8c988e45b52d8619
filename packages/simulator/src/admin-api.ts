import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { faultsSchema } from "./faults.ts";
import { readBody, sendJson, sendText } from "./http.ts";
import type { Simulator } from "./simulator.ts";

const GATEWAY = "http://localhost:3001";
const textRequest = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  body: z.string(),
  sid: z
    .string()
    .regex(/^(SM|MM)[0-9A-Za-z]{1,62}$/)
    .exactOptional(),
  /** The default is a gateway on this machine, with the retries its provisioning sets. */
  webhookUrl: z.url().default(`${GATEWAY}/sms#rc=2&rp=5xx,ct,rt&rt=10000&tt=15000`),
  fallbackUrl: z.url().default(`${GATEWAY}/sms/fallback`),
});

const GUIDE = `JobRun simulator: doubles of Twilio and of an OpenAI-compatible endpoint.

GET  /admin/sent         texts accepted for people, in order
GET  /admin/model-calls  requests to the model, with what it was shown
GET  /admin/events       server-sent events, one per text accepted
PUT  /admin/faults       switch faults on and off
POST /admin/text         text the gateway as a person: {"from","to","body"}
POST /admin/reset        forget everything, end all faults

Twilio:  POST and GET /2010-04-01/Accounts/{AccountSid}/Messages.json, GET …/Messages/{Sid}.json
OpenAI:  POST /openai/v1/chat/completions
`;

/**
 * The routes by which a person or another process drives the simulator.
 * @returns whether the path was one of them, and so has been answered
 */
export async function handleAdmin(
  simulator: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  switch (`${request.method} ${url.pathname}`) {
    case "GET /":
      sendText(response, 200, "text/plain; charset=utf-8", GUIDE);
      return true;
    case "GET /admin/sent":
      sendJson(response, 200, simulator.sent());
      return true;
    case "GET /admin/model-calls":
      sendJson(response, 200, simulator.modelCalls());
      return true;
    case "GET /admin/events":
      streamEvents(simulator, response);
      return true;
    case "PUT /admin/faults": {
      const faults = faultsSchema.partial().safeParse(parseJson(await readBody(request)));
      if (!faults.success) return refuse(response, z.prettifyError(faults.error));
      simulator.setFaults(withoutUndefined(faults.data));
      sendJson(response, 200, {});
      return true;
    }
    case "POST /admin/text": {
      const message = textRequest.safeParse(parseJson(await readBody(request)));
      if (!message.success) return refuse(response, z.prettifyError(message.error));
      try {
        sendJson(response, 200, await simulator.text(message.data));
      } catch (error) {
        if (error instanceof RangeError) return refuse(response, error.message);
        throw error;
      }
      return true;
    }
    case "POST /admin/reset":
      simulator.reset();
      sendJson(response, 200, {});
      return true;
    default:
      return false;
  }
}

function streamEvents(simulator: Simulator, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.write(": listening\n\n");
  const stop = simulator.onSent((message) => {
    response.write(`data: ${JSON.stringify(message)}\n\n`);
  });
  response.once("close", stop);
}

function refuse(response: ServerResponse, message: string): true {
  sendJson(response, 400, { error: { code: "invalid_request", message } });
  return true;
}

/** `partial()` types absent keys as possibly undefined; JSON has no undefined, so this changes the type only. */
function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return value as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
