import { z } from "zod";
import type { SendOutcome } from "../channel.ts";
import { meaningOf } from "./error-table.ts";

/** Twilio's HTTP answer to one request. */
export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, unknown>;
  /** Parsed when it was JSON, else a string. */
  body: unknown;
}

/** What an answer of Twilio to `POST Messages.json` says about the message. */
export function outcomeOfAnswer({ status, headers, body }: Answer): SendOutcome {
  if (status >= 200 && status < 300) {
    const created = Created.safeParse(body);
    if (created.success) return { kind: "accepted", providerId: created.data.sid };
    return { kind: "unknown", code: `unreadable-${status}` };
  }
  const twilioCode = Refused.safeParse(body).data?.code;
  const code = twilioCode === undefined ? `http-${status}` : String(twilioCode);
  const meaning = meaningOf(twilioCode, status);
  if (meaning.kind !== "unavailable") return { ...meaning, code };
  const retryAfterMs = parseRetryAfter(headers["retry-after"]);
  return { ...meaning, code, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/**
 * What a request without an answer says about the message: `unavailable` only for what happens
 * before the first byte of the request can leave, and `unknown` for everything else.
 */
export function outcomeOfFailure(
  error: unknown,
): Extract<SendOutcome, { kind: "unavailable" | "unknown" }> {
  for (const failure of causes(error)) {
    const code = typeof failure.code === "string" ? failure.code : "";
    const beforeRequest =
      failure.syscall === "connect" ||
      NEVER_CONNECTED.test(code) ||
      HANDSHAKE_FAILED.test(String(failure.message));
    if (beforeRequest) return { kind: "unavailable", code: code.toLowerCase() };
  }
  const { code } = causes(error)[0] ?? {};
  return { kind: "unknown", code: CAUSES[String(code)] ?? "no-answer" };
}

const Created = z.object({ sid: z.string().min(1).max(64) });
const Refused = z.object({ code: z.coerce.number().int().positive() });

// Refused connections, DNS, and certificates Node.js does not trust.
const NEVER_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|CERT_\w+|ERR_TLS_CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET|VERIFY)_\w+)$/;
// Node.js names a failed TLS handshake in the message only: its codes, EPROTO and ECONNRESET, also
// stand for failures long after it.
const HANDSHAKE_FAILED =
  /before secure TLS connection was established|wrong version number|handshake failure|alert protocol version/;

// What axios and Node.js call it → the short cause we store.
const CAUSES: Record<string, string | undefined> = {
  ECONNABORTED: "timeout",
  ETIMEDOUT: "timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
};

interface Failure {
  code?: unknown;
  syscall?: unknown;
  message?: unknown;
  cause?: unknown;
}

/** An error and its causes, outermost first. */
function causes(error: unknown): Failure[] {
  const found: Failure[] = [];
  for (let next = error; next instanceof Error; next = next.cause) {
    if (found.includes(next)) break;
    found.push(next);
  }
  return found;
}

/** RFC 9110 §10.2.3: seconds or an HTTP date. */
function parseRetryAfter(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  if (/^\d{1,8}$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Z]/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
