import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { CALL_STATUSES } from "./call-params.ts";
import { faultsSchema } from "./faults-schema.ts";
import { GUIDE } from "./guide.ts";
import { readJson, sendJson, sendText } from "./http.ts";
import { whatsAppAdmin } from "./meta/admin.ts";
import { CALL_OUTCOMES } from "./play-call.ts";
import type { Simulator } from "./simulator.ts";

const textRequest = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  body: z.string(),
  sid: z
    .string()
    .regex(/^(SM|MM)[0-9A-Za-z]{1,62}$/)
    .exactOptional(),
  webhookUrl: z.url().exactOptional(),
  fallbackUrl: z.url().exactOptional(),
});
const callRequest = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  outcome: z.enum(CALL_OUTCOMES),
  sid: z
    .string()
    .regex(/^CA[0-9A-Za-z]{1,62}$/)
    .exactOptional(),
  voiceUrl: z.url().exactOptional(),
  statusUrl: z.url().exactOptional(),
  statusCallbacks: z.array(z.enum(CALL_STATUSES)).exactOptional(),
  extra: z.record(z.string(), z.string()).exactOptional(),
});
const setting = z.string().exactOptional();
const numberRequest = z.strictObject({
  phoneNumber: z.string(),
  smsUrl: setting,
  smsMethod: setting,
  smsFallbackUrl: setting,
  smsFallbackMethod: setting,
  voiceUrl: setting,
  voiceMethod: setting,
  statusCallback: setting,
  statusCallbackMethod: setting,
  smsApplicationSid: setting,
  voiceApplicationSid: setting,
});

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
  const route = `${request.method} ${url.pathname}`;
  const forWhatsApp = whatsAppAdmin(simulator.whatsApp, route);
  if (forWhatsApp) {
    const body = request.method === "GET" ? null : await readJson(request);
    return answer(response, () => forWhatsApp(body));
  }
  switch (route) {
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
      const faults = faultsSchema.partial().safeParse(await readJson(request));
      if (!faults.success) return refuse(response, z.prettifyError(faults.error));
      simulator.setFaults(withoutUndefined(faults.data));
      sendJson(response, 200, {});
      return true;
    }
    case "POST /admin/text": {
      const message = textRequest.safeParse(await readJson(request));
      if (!message.success) return refuse(response, z.prettifyError(message.error));
      return answer(response, () => simulator.text(message.data));
    }
    case "POST /admin/call": {
      const call = callRequest.safeParse(await readJson(request));
      if (!call.success) return refuse(response, z.prettifyError(call.error));
      return answer(response, () => simulator.call(call.data));
    }
    case "GET /admin/numbers":
      sendJson(response, 200, simulator.numbers());
      return true;
    case "POST /admin/numbers": {
      const number = numberRequest.safeParse(await readJson(request));
      if (!number.success) return refuse(response, z.prettifyError(number.error));
      const { phoneNumber, ...webhooks } = number.data;
      return answer(response, () => simulator.addNumber(phoneNumber, webhooks));
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
  const write = (event: object) => void response.write(`data: ${JSON.stringify(event)}\n\n`);
  const stops = [
    // A name of its own: who reads texts alone need not know of it.
    simulator.onRefused((refusal) => {
      response.write(`event: refused\ndata: ${JSON.stringify(refusal)}\n\n`);
    }),
    simulator.onSent(write),
    simulator.whatsApp.onSent((message) => write({ channel: "whatsapp", ...message })),
  ];
  response.once("close", () => {
    for (const stop of stops) stop();
  });
}

/** A RangeError is the simulator's word for a request that cannot be meant. */
async function answer(response: ServerResponse, work: () => unknown): Promise<true> {
  try {
    sendJson(response, 200, await work());
  } catch (error) {
    if (error instanceof z.ZodError) return refuse(response, z.prettifyError(error));
    if (!(error instanceof RangeError)) throw error;
    return refuse(response, error.message);
  }
  return true;
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
