import type { ServerResponse } from "node:http";
import { sendJson } from "./http.ts";

/** Answers with an error in Twilio's shape. */
export function sendTwilioError(
  response: ServerResponse,
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  const moreInfo = `https://www.twilio.com/docs/errors/${code}`;
  sendJson(response, status, { code, message, more_info: moreInfo, status }, headers);
}
