import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultSwitch } from "./faults.ts";
import { readBody, sendJson, sendText } from "./http.ts";
import { listMessages } from "./list-messages.ts";
import type { LoggedMessage, MessageLog } from "./message-log.ts";
import { messageResource } from "./message-resource.ts";
import { sendTwilioError } from "./twilio-error.ts";

export interface TwilioAccount {
  accountSid: string;
  authToken: string;
}

export interface TwilioApiDeps {
  account: TwilioAccount;
  messages: MessageLog;
  faults: FaultSwitch;
  /** Called for each accepted message, after its answer. */
  sendReceipts: (message: LoggedMessage) => void;
}

const PATH = /^\/2010-04-01\/Accounts\/([^/]+)\/Messages(?:\/(\w+))?\.json$/;

/**
 * Twilio's Messages resource: create, list and fetch
 * (https://www.twilio.com/docs/messaging/api/message-resource).
 * @returns whether the path was one of them, and so has been answered
 */
export async function handleTwilioApi(
  deps: TwilioApiDeps,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const path = PATH.exec(url.pathname);
  if (!path) return false;
  const [, accountSid, sid] = path;
  if (!isAuthorized(deps.account, accountSid, request)) {
    sendTwilioError(response, 401, 20003, "Authenticate");
  } else if (request.method === "POST" && sid === undefined) {
    await create(deps, request, response);
  } else if (request.method !== "GET") {
    sendTwilioError(response, 405, 20004, "Method not allowed");
  } else if (sid === undefined) {
    listMessages(deps, response, url);
  } else {
    const message = deps.messages.find(sid);
    if (message) sendJson(response, 200, messageResource(deps.account.accountSid, message));
    else
      sendTwilioError(response, 404, 20404, `The requested resource ${url.pathname} was not found`);
  }
  return true;
}

async function create(
  deps: TwilioApiDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = new URLSearchParams(await readBody(request));
  const { twilioDelayMs } = deps.faults.current;
  if (twilioDelayMs > 0) await delay(twilioDelayMs, undefined, { ref: false });

  const fault = deps.faults.nextTwilio();
  if (fault.kind === "reset") {
    request.socket.resetAndDestroy();
    return;
  }
  if (fault.kind === "error") {
    const retryAfter = fault.retryAfterSeconds;
    const headers: Record<string, string> =
      retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
    const code = fault.code ?? USUAL_CODES[fault.status] ?? 20500;
    sendTwilioError(response, fault.status, code, "Switched-on fault", headers);
    return;
  }
  const refusal = refusalOf(deps.messages, form);
  if (refusal) {
    sendTwilioError(response, 400, refusal.code, refusal.message);
    return;
  }

  const validity = form.get("ValidityPeriod");
  const message = deps.messages.accept({
    from: form.get("From") ?? "",
    to: form.get("To") ?? "",
    body: form.get("Body") ?? "",
    statusCallback: form.get("StatusCallback"),
    validityPeriod: validity === null ? null : Number(validity),
    direction: "outbound-api",
  });
  switch (fault.kind) {
    case "accept-then-reset":
      request.socket.resetAndDestroy();
      break;
    case "accept-then-hang":
      break;
    case "garbage-201":
      sendText(response, 201, "text/html", "<html><body>Created</body></html>");
      break;
    case "none":
      sendJson(response, 201, messageResource(deps.account.accountSid, message));
      break;
  }
  deps.sendReceipts(message);
}

const USUAL_CODES: Record<number, number> = { 401: 20003, 429: 20429, 500: 20500, 503: 20503 };
const E164 = /^\+[1-9]\d{6,14}$/;

/** Why Twilio would not take this text. Codes: https://www.twilio.com/docs/api/errors */
function refusalOf(
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

function isAuthorized(
  account: TwilioAccount,
  accountSid: string | undefined,
  request: IncomingMessage,
): boolean {
  const credentials = Buffer.from(`${account.accountSid}:${account.authToken}`).toString("base64");
  const expected = Buffer.from(`Basic ${credentials}`);
  const given = Buffer.from(request.headers.authorization ?? "");
  return (
    accountSid === account.accountSid &&
    given.length === expected.length &&
    timingSafeEqual(given, expected)
  );
}
