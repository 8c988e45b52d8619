import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { sendJson } from "../http.ts";

/** Why Meta does not take a request. */
export interface Mistake {
  code: number;
  details: string;
  subcode?: number;
}

/** Default: 400. https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes */
const STATUS: Record<number, number> = {
  0: 401,
  2: 503,
  3: 500,
  10: 403,
  190: 401,
  368: 403,
  130497: 403,
  131000: 500,
  131005: 403,
  131016: 503,
  131031: 403,
  131037: 500,
  131045: 500,
  131057: 500,
  132001: 404,
  133004: 503,
};

/** The codes an unexplained status is most likely about. */
const USUAL_CODE: Record<number, number> = {
  401: 190,
  403: 131005,
  404: 132001,
  429: 130429,
  500: 131000,
  503: 131016,
};

const TITLE: Record<number, string> = {
  1: "API Unknown",
  2: "API Service",
  4: "API Too Many Calls",
  100: "Invalid parameter",
  190: "Access token has expired",
  368: "Temporarily blocked for policies violations",
  80007: "Rate limit issues",
  130429: "Rate limit hit",
  130472: "User's number is part of an experiment",
  131000: "Something went wrong",
  131005: "Access denied",
  131008: "Required parameter is missing",
  131009: "Parameter value is not valid",
  131016: "Service unavailable",
  131021: "Recipient cannot be sender",
  131026: "Message undeliverable",
  131031: "Account has been locked",
  131042: "Business eligibility payment issue",
  131047: "Re-engagement message",
  131048: "Spam rate limit hit",
  131050: "User has stopped marketing messages",
  131051: "Unsupported message type",
  131053: "Media upload error",
  131056: "(Business Account, Consumer Account) pair rate limit hit",
  132001: "Template does not exist",
  133010: "Phone number not registered",
};

export function usualStatus(code: number): number {
  return STATUS[code] ?? (code >= 200 && code < 300 ? 403 : 400);
}

export function usualCode(status: number): number {
  return USUAL_CODE[status] ?? (status >= 500 ? 131000 : 100);
}

/** An error as statuses carry it. */
export function statusError(code: number) {
  const title = titleOf(code);
  return {
    code,
    title,
    message: title,
    error_data: { details: `${title}.` },
    href: "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
  };
}

/** Answers in the shape of Meta's errors. */
export function sendMetaError(
  response: ServerResponse,
  status: number,
  { code, details, subcode }: Mistake,
  headers: Record<string, string> = {},
): void {
  const isMissing = subcode === 33;
  const error = {
    message: isMissing ? details : `(#${code}) ${titleOf(code)}`,
    type: isMissing ? "GraphMethodException" : "OAuthException",
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    ...(isMissing ? {} : { error_data: { messaging_product: "whatsapp", details } }),
    fbtrace_id: randomBytes(11).toString("base64url"),
  };
  sendJson(response, status, { error }, headers);
}

/** There is no such object: a number, a media id. */
export function noSuchObject(method: "get" | "post", id: string): Mistake {
  const details =
    `Unsupported ${method} request. Object with ID '${id}' does not exist, cannot be loaded due to missing ` +
    "permissions, or does not support this operation";
  return { code: 100, subcode: 33, details };
}

function titleOf(code: number): string {
  return TITLE[code] ?? "Something went wrong";
}
