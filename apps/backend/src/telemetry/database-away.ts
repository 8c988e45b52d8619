import { sqlState } from "@jobrun/db";

/** Of Prisma's driver errors: no session was to be had, or the one there was broke. */
const KINDS = new Set([
  "DatabaseNotReachable",
  "ConnectionClosed",
  "SocketTimeout",
  "TlsConnectionError",
  "TooManyConnections",
  "DatabaseDoesNotExist",
  "DatabaseAccessDenied",
  "AuthenticationFailed",
]);
/** Of a socket to the database that Prisma does not know for one, such as to a name with two addresses. */
const SOCKET = new Set(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EPIPE"]);
/** https://www.postgresql.org/docs/current/errcodes-appendix.html: shut down, starting up, connection lost. */
const SESSION_LOST = /^(?:57P0[1-5]|08...|53300|3D000|28...)$/;
/** What the driver (pg) and Prisma say without any code. */
const WORDLESS =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|the connection was closed)|Unable to start a transaction in the given time/;

/**
 * Whether an error means that the database cannot be reached, rather than that it answered something
 * unwelcome.
 *
 * @returns a code that says how, such as `DatabaseNotReachable` or `57P01`, or null for any other error
 */
export function awayCode(error: unknown): string | null {
  // pg-boss reports copies of errors, which are none.
  if (typeof error !== "object" || error === null) return null;
  const { code, severity, message } = error as Record<string, unknown>;
  const driver = driverCause(error);
  const kind = String(driver["kind"]);
  const state = sqlState(error) ?? (typeof code === "string" ? code : "");
  if (KINDS.has(kind)) return kind;
  // PostgreSQL's own word for an end of the session.
  const isFatal = severity === "FATAL" || driver["severity"] === "FATAL";
  if (isFatal || SESSION_LOST.test(state) || SOCKET.has(state)) return state;
  return WORDLESS.test(String(message)) ? "connection-lost" : null;
}

/** What Prisma's adapter says about its driver's error; empty where it says nothing. */
function driverCause(error: object): Record<string, unknown> {
  const { meta } = error as { meta?: { driverAdapterError?: { cause?: unknown } } };
  const cause = meta?.driverAdapterError?.cause;
  return typeof cause === "object" && cause !== null ? { ...cause } : {};
}
