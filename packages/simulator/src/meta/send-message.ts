import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultSwitch } from "../faults.ts";
import type { MetaFault } from "../faults-schema.ts";
import type { Refusal } from "../simulator.ts";
import { readBody, sendJson, sendText } from "../http.ts";
import { digitsOf, newWamid } from "./envelope.ts";
import type { NumberNames } from "./envelope.ts";
import { isMistake, personOf, readMessageRequest, readReadRequest } from "./message-request.ts";
import type { MessageRequest } from "./message-request.ts";
import { sendMetaError, usualCode, usualStatus } from "./meta-error.ts";
import type { Mistake } from "./meta-error.ts";
import { isPhone } from "./people.ts";
import type { SendLog, WhatsAppSend } from "./send-log.ts";
import { wordsOf } from "./words-of.ts";

export interface SendMessageDeps {
  faults: FaultSwitch;
  log: SendLog;
  now: () => number;
  /** Called for each accepted message; what it returns settles before the answer to a `beforeAnswer` plan. */
  sendStatuses: (send: WhatsAppSend) => Promise<void>;
  onRefused: (refusal: Refusal) => void;
}

/** Answers `POST …/messages`, a message or a mark-as-read, or does what the faults say instead. */
export async function handleMessage(
  deps: SendMessageDeps,
  number: NumberNames,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = parseObject(await readBody(request));
  if (body === null) {
    sendMetaError(response, 400, { code: 100, details: "The body is not a JSON object" });
  } else if ("status" in body) {
    markRead(deps, number, body, response);
  } else {
    await sendMessage(deps, number, body, { request, response });
  }
}

function markRead(
  { faults, log, now }: SendMessageDeps,
  { phoneNumberId }: NumberNames,
  body: Record<string, unknown>,
  response: ServerResponse,
): void {
  const read = readReadRequest(body);
  if (isMistake(read)) {
    sendMetaError(response, 400, read);
    return;
  }
  const { metaReads } = faults.current;
  if (metaReads === "refused") {
    sendMetaError(response, 500, { code: 131000, details: "Switched-on fault" });
    return;
  }
  log.read({ ...read, from: phoneNumberId, at: now() });
  if (metaReads === "answered") sendJson(response, 200, { success: true });
}

async function sendMessage(
  deps: SendMessageDeps,
  number: NumberNames,
  body: Record<string, unknown>,
  http: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { faults, log } = deps;
  const { response } = http;
  const { metaDelayMs } = faults.current;
  if (metaDelayMs > 0) await delay(metaDelayMs, undefined, { ref: false });

  const refused = ({ code, details }: Mistake) => {
    const named = String(body["to"] ?? body["recipient"] ?? "");
    const person = isPhone(named) ? `+${digitsOf(named)}` : named;
    const ends = { from: number.phoneNumberId, to: person };
    deps.onRefused({ channel: "whatsapp", ...ends, code, message: details });
  };
  const refuse = (mistake: Mistake) => {
    refused(mistake);
    sendMetaError(response, usualStatus(mistake.code), mistake);
  };
  const refusal = refusalOf(faults.current.metaRefusals, body);
  if (refusal !== undefined) {
    refuse({ code: refusal, details: "Switched-on refusal" });
    return;
  }
  const fault = faults.nextMeta();
  if (fault.kind === "reset") {
    http.request.socket.resetAndDestroy();
    return;
  }
  if (fault.kind === "error") {
    refused({ code: fault.code ?? usualCode(fault.status), details: "Switched-on fault" });
    answerFault(fault, http);
    return;
  }
  const message = readMessageRequest(body);
  if (isMistake(message)) {
    refuse(message);
    return;
  }
  const to = personOf(message);
  if (to === `+${number.displayPhoneNumber}`) {
    refuse({ code: 131021, details: "Recipient cannot be sender" });
    return;
  }

  const send: WhatsAppSend = {
    wamid: newWamid(),
    from: number.phoneNumberId,
    to,
    recipient: message.recipient,
    type: message.type,
    body: wordsOf(message.type, body),
    messageId: message.messageId,
    request: body,
    at: deps.now(),
  };
  log.accept(send);
  const { metaReceipts } = faults.current;
  const early = typeof metaReceipts === "object" && metaReceipts.beforeAnswer === true;
  if (early) await deps.sendStatuses(send);
  if (fault.kind === "none") sendJson(response, 200, acceptanceOf(send, message));
  else answerFault(fault, http);
  if (!early) await deps.sendStatuses(send);
}

/** What a client sees of a fault that strikes before the answer. */
function answerFault(
  fault: Exclude<MetaFault, { kind: "none" }>,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): void {
  switch (fault.kind) {
    case "reset":
    case "accept-then-reset":
      request.socket.resetAndDestroy();
      break;
    case "accept-then-hang":
      break;
    case "garbage-200":
      sendText(response, 200, "text/html", "<html><body>OK</body></html>");
      break;
    case "error":
    case "error-after-accept": {
      if (fault.kind === "error-after-accept" && fault.code === undefined) {
        sendText(response, fault.status, "text/html", "<html></html>");
        break;
      }
      const retryAfter = "retryAfterSeconds" in fault ? fault.retryAfterSeconds : undefined;
      const headers: Record<string, string> =
        retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
      const code = fault.code ?? usualCode(fault.status);
      sendMetaError(response, fault.status, { code, details: "Switched-on fault" }, headers);
      break;
    }
  }
}

function acceptanceOf({ wamid, to }: WhatsAppSend, message: MessageRequest) {
  const { recipientType, recipient } = message;
  const id = { input: message.to ?? recipient };
  const contact = recipient === null ? { ...id, wa_id: digitsOf(to) } : { ...id, user_id: to };
  return {
    messaging_product: "whatsapp",
    contacts: [recipientType === "group" ? { ...id, wa_id: to } : contact],
    messages: [{ id: wamid, message_status: "accepted" }],
  };
}

/** The code switched on for the recipient, however their number is written. */
function refusalOf(
  refusals: Record<string, number>,
  body: Record<string, unknown>,
): number | undefined {
  const person = String(body["to"] ?? body["recipient"]);
  const plain = (one: string) => (isPhone(one) ? digitsOf(one) : one);
  return Object.entries(refusals).find(([one]) => plain(one) === plain(person))?.[1];
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
