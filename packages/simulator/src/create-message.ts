import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultSwitch } from "./faults.ts";
import { readBody, sendJson, sendText } from "./http.ts";
import type { LoggedMessage, MessageLog } from "./message-log.ts";
import { messageResource } from "./message-resource.ts";
import type { Refusal } from "./simulator.ts";
import type { TwilioAccount } from "./twilio-api.ts";
import { sendTwilioError, usualCode, usualStatus } from "./twilio-error.ts";

export interface CreateMessageDeps {
  account: TwilioAccount;
  messages: MessageLog;
  faults: FaultSwitch;
  /** Called for each accepted message; what it returns settles before the answer to a `beforeAnswer` plan. */
  sendReceipts: (message: LoggedMessage) => Promise<void>;
  onRefused: (refusal: Refusal) => void;
}

/** Answers `POST Messages.json`, or does what the faults say instead. */
export async function createMessage(
  deps: CreateMessageDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = new URLSearchParams(await readBody(request));
  const { twilioDelayMs } = deps.faults.current;
  if (twilioDelayMs > 0) await delay(twilioDelayMs, undefined, { ref: false });

  const [from, to] = [form.get("From") ?? "", form.get("To") ?? ""];
  const refuse = (status: number, code: number, message: string, headers = {}) => {
    deps.onRefused({ channel: "sms", from, to, code, message });
    sendTwilioError(response, status, code, message, headers);
  };
  const refusal = deps.faults.current.refusals[to];
  if (refusal !== undefined) {
    refuse(usualStatus(refusal), refusal, "Switched-on refusal");
    return;
  }
  const fault = deps.faults.nextTwilio();
  if (fault.kind === "reset") {
    request.socket.resetAndDestroy();
    return;
  }
  if (fault.kind === "error") {
    const retryAfter = fault.retryAfterSeconds;
    const headers: Record<string, string> =
      retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
    const code = fault.code ?? usualCode(fault.status);
    refuse(fault.status, code, "Switched-on fault", headers);
    return;
  }
  const mistake = mistakeIn(deps.messages, form);
  if (mistake) {
    refuse(400, mistake.code, mistake.message);
    return;
  }

  const validity = form.get("ValidityPeriod");
  const message = deps.messages.accept({
    from,
    to,
    body: form.get("Body") ?? "",
    statusCallback: form.get("StatusCallback"),
    validityPeriod: validity === null ? null : Number(validity),
    direction: "outbound-api",
  });
  const created = messageResource(deps.account.accountSid, message);
  const { receipts } = deps.faults.current;
  const early = typeof receipts === "object" && receipts.beforeAnswer === true;
  if (early) await deps.sendReceipts(message);
  switch (fault.kind) {
    case "accept-then-reset":
      request.socket.resetAndDestroy();
      break;
    case "accept-then-hang":
      break;
    case "garbage-201":
      sendText(response, 201, "text/html", "<html><body>Created</body></html>");
      break;
    case "error-after-accept":
      if (fault.code === undefined) sendText(response, fault.status, "text/html", "<html></html>");
      else sendTwilioError(response, fault.status, fault.code, "Switched-on fault");
      break;
    case "none":
      sendJson(response, 201, created);
      break;
  }
  if (!early) await deps.sendReceipts(message);
}

const E164 = /^\+[1-9]\d{6,14}$/;

/** Why Twilio would not take this text. Codes: https://www.twilio.com/docs/api/errors */
function mistakeIn(
  messages: MessageLog,
  form: URLSearchParams,
): { code: number; message: string } | null {
  const to = form.get("To") ?? "";
  const from = form.get("From") ?? "";
  const body = form.get("Body") ?? "";
  if (to === "") return { code: 21604, message: "A 'To' phone number is required." };
  if (!E164.test(to)) return { code: 21211, message: `Invalid 'To' Phone Number: ${to}` };
  if (from === "") return { code: 21603, message: "A 'From' phone number is required." };
  if (!E164.test(from)) return { code: 21212, message: `Invalid 'From' Phone Number: ${from}` };
  if (body === "") return { code: 21602, message: "Message body is required." };
  if (body.length > 1600) {
    return {
      code: 21617,
      message: "The concatenated message body exceeds the 1600 character limit",
    };
  }
  if (messages.isOptedOut(to, from)) {
    return { code: 21610, message: "Attempt to send to unsubscribed recipient" };
  }
  return null;
}
