import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createMessage } from "./create-message.ts";
import type { CreateMessageDeps } from "./create-message.ts";
import { sendJson } from "./http.ts";
import { listMessages } from "./list-messages.ts";
import { messageResource } from "./message-resource.ts";
import type { NumberBook } from "./numbers.ts";
import { listNumbers, numberResource, updateNumber } from "./numbers-api.ts";
import { sendTwilioError } from "./twilio-error.ts";

export interface TwilioAccount {
  accountSid: string;
  authToken: string;
}

export interface TwilioApiDeps extends CreateMessageDeps {
  numbers: NumberBook;
}

const PATH =
  /^\/2010-04-01\/Accounts\/(?<account>\w+)(?:\/(?<resource>Messages|IncomingPhoneNumbers)(?:\/(?<sid>\w+))?)?\.json$/;

/**
 * Of Twilio's REST API: messages (create, list, fetch), the account's numbers (list, fetch, update) and the account
 * (fetch) (https://www.twilio.com/docs/messaging/api/message-resource,
 * https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource).
 * @returns whether the path was one of them, and so has been answered
 */
export async function handleTwilioApi(
  deps: TwilioApiDeps,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const path = PATH.exec(url.pathname)?.groups;
  if (!path) return false;
  const { account, messages, numbers } = deps;
  const { accountSid } = account;
  const { resource, sid } = path;
  if (!isAuthorized(account, path["account"], request)) {
    sendTwilioError(response, 401, 20003, "Authenticate");
    return true;
  }
  switch (`${request.method} ${resource ?? "Account"}${sid === undefined ? "" : "/sid"}`) {
    case "GET Account":
      sendJson(response, 200, { sid: accountSid, status: "active", type: "Full" });
      break;
    case "POST Messages":
      await createMessage(deps, request, response);
      break;
    case "GET Messages":
      listMessages(deps, response, url);
      break;
    case "GET Messages/sid": {
      const message = messages.find(sid ?? "");
      if (message) sendJson(response, 200, messageResource(accountSid, message));
      else sendNotFound(response, url);
      break;
    }
    case "GET IncomingPhoneNumbers":
      listNumbers(deps, response, url);
      break;
    case "GET IncomingPhoneNumbers/sid": {
      const number = numbers.get(sid ?? "");
      if (number) sendJson(response, 200, numberResource(accountSid, number));
      else sendNotFound(response, url);
      break;
    }
    case "POST IncomingPhoneNumbers/sid": {
      const number = numbers.get(sid ?? "");
      if (number) await updateNumber(deps, number, request, response);
      else sendNotFound(response, url);
      break;
    }
    default:
      sendTwilioError(response, 405, 20004, "Method not allowed");
  }
  return true;
}

function sendNotFound(response: ServerResponse, url: URL): void {
  sendTwilioError(response, 404, 20404, `The requested resource ${url.pathname} was not found`);
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
