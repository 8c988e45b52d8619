import type { ServerResponse } from "node:http";
import { sendJson } from "./http.ts";

/** The codes whose HTTP status is not 400 (https://www.twilio.com/docs/api/errors). */
const STATUS_OF_CODE: Record<number, number> = {
  20003: 401,
  20404: 404,
  20429: 429,
  20500: 500,
  20503: 503,
};
const CODE_OF_STATUS = new Map(
  Object.entries(STATUS_OF_CODE).map(([code, status]) => [status, Number(code)]),
);

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

/** The HTTP status with which a create request is refused for this Twilio code. */
export function usualStatus(code: number): number {
  return STATUS_OF_CODE[code] ?? 400;
}

/** The Twilio code that usually comes with this HTTP status. */
export function usualCode(status: number): number {
  return CODE_OF_STATUS.get(status) ?? 20500;
}
