import twilio from "twilio";
import { outcomeOfFailure } from "../http-failure.ts";

/** Whose account at Twilio, and where. */
export interface TwilioAccount {
  /** "AC…" */
  accountSid: string;
  /** The first one authenticates us; all of them verify, so that a token can be rotated. */
  authTokens: string[];
  /** Replaces https://api.twilio.com, e.g. by a simulator. */
  apiBaseUrl?: string;
}

/** Longest time one request may take. */
export const REQUEST_TIMEOUT_MS = 10_000;

/** @throws TypeError when the account SID is not "AC…", the address is no URL, or a token is missing. */
export function checkAccount({ accountSid, authTokens, apiBaseUrl }: TwilioAccount): void {
  if (!/^AC\w+$/.test(accountSid)) throw new TypeError('A Twilio account SID starts with "AC"');
  if (authTokens.length === 0 || authTokens.includes("")) {
    throw new TypeError("Twilio needs at least one auth token, and no empty one");
  }
  if (apiBaseUrl !== undefined && !URL.canParse(apiBaseUrl)) {
    throw new TypeError(`Not a URL: ${apiBaseUrl}`);
  }
}

/** The SDK's client for an account, over the given transport. */
export function createClient(
  { accountSid, authTokens, apiBaseUrl }: TwilioAccount,
  httpClient: twilio.RequestClient,
): twilio.Twilio {
  const client = twilio(accountSid, authTokens[0], {
    httpClient,
    // Otherwise TWILIO_LOG_LEVEL=debug would print numbers and texts.
    logLevel: "none",
  });
  if (apiBaseUrl !== undefined) client.api.baseUrl = apiBaseUrl;
  return client;
}

/**
 * What went wrong with a request that reads or configures, in one word that holds nothing of the
 * request: Twilio's error code, "http-503", "timeout", "econnrefused", "unreadable", …
 */
export function failureCode(error: unknown): string {
  const { status, code } = (error ?? {}) as { status?: unknown; code?: unknown };
  // The SDK's own exceptions carry the HTTP status, and the code when Twilio gave one.
  if (typeof status === "number") return typeof code === "number" ? String(code) : `http-${status}`;
  return typeof code === "string" ? outcomeOfFailure(error).code : "unreadable";
}
