import type { SendOutcome } from "./channel.ts";

/**
 * What a request without an answer says about what it asked for: `unavailable` only for what happens
 * before the first byte of the request can leave, and `unknown` for everything else.
 *
 * @param error what fetch or axios threw
 */
export function outcomeOfFailure(
  error: unknown,
): Extract<SendOutcome, { kind: "unavailable" | "unknown" }> {
  const failures = causes(error);
  const before = failures.find(isBeforeRequest);
  if (before) {
    const { code } = before;
    return { kind: "unavailable", code: typeof code === "string" ? code.toLowerCase() : NO_CODE };
  }
  const cause = failures.map(({ code }) => CAUSES.get(code)).find((name) => name !== undefined);
  return { kind: "unknown", code: cause ?? "no-answer" };
}

/**
 * Reads a Retry-After header (RFC 9110 §10.2.3): seconds or an HTTP date.
 *
 * @returns milliseconds from now, or undefined when it is neither
 */
export function parseRetryAfter(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  if (/^\d{1,8}$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Z]/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

interface Failure {
  code?: unknown;
  syscall?: unknown;
  message?: unknown;
  cause?: unknown;
  errors?: unknown;
}

// No address, nobody there, no connection in the time fetch allows for one, and certificates Node.js
// does not trust, even where the call is not named. Others, such as EHOSTUNREACH, can end a request
// on its way, too.
const NEVER_CONNECTED =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET|VERIFY)_\w+)$/;
// Node.js names a failed TLS handshake in the message only: its codes, EPROTO and ECONNRESET, also
// stand for failures long after it.
const HANDSHAKE_FAILED =
  /before secure TLS connection was established|wrong version number|handshake failure|alert protocol version/;

function isBeforeRequest({ code, syscall, message }: Failure): boolean {
  return (
    syscall === "connect" ||
    NEVER_CONNECTED.test(String(code)) ||
    HANDSHAKE_FAILED.test(String(message))
  );
}

const NO_CODE = "no-connection";
// What fetch, axios and Node.js call it → the short cause we store.
const CAUSES: ReadonlyMap<unknown, string> = new Map([
  ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
  ["UND_ERR_BODY_TIMEOUT", "timeout"],
  ["ECONNABORTED", "timeout"],
  ["ETIMEDOUT", "timeout"],
  ["UND_ERR_SOCKET", "reset"],
  ["ECONNRESET", "reset"],
  ["EPIPE", "reset"],
]);

/** An error and its causes, outermost first. Of several addresses that failed, the first. */
function causes(error: unknown): Failure[] {
  const found: Failure[] = [];
  let next = error;
  while (isFailure(next) && !found.includes(next)) {
    found.push(next);
    next = next.cause ?? (Array.isArray(next.errors) ? next.errors[0] : undefined);
  }
  return found;
}

function isFailure(error: unknown): error is Failure {
  return typeof error === "object" && error !== null;
}
