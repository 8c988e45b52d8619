import { redactText } from "@jobrun/messaging";
import { awayCode } from "./database-away.ts";

const REDACTED = "[redacted]";
const MAX_DEPTH = 8;

/** Lower case. Whatever stands under one of these is a text a person wrote, a name, or a secret. */
const HIDDEN_KEYS = new Set([
  "body",
  "text",
  "name",
  "customername",
  "apikey",
  "token",
  "authtoken",
  "accesstoken",
  "authorization",
  "password",
  "secret",
  "cookie",
]);

// Ids and short words carry nothing personal; most strings on the hot path are one of the two.
const HARMLESS = /^(?:[A-Za-z_.:-]{0,20}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const PLAIN_KEY = /^[A-Za-z_]+$/;

// PostgreSQL quotes row values in the details of an error, unescaped, so nothing in the text says
// where a value ends: everything up to the stack frames goes.
const ROW_VALUES = /(Failing row contains|Key \([^)]*\)=)[\s\S]*?(?=\n\s+at |(?![\s\S]))/g;
const INPUT_VALUES =
  /(invalid input (?:syntax|value) for [^:]*: )"[\s\S]*?"(?=[\s.,;`]|(?![\s\S]))/g;
// Prisma prints the call with its arguments between the first line and the last paragraph.
const QUERY_ECHO = /(Invalid `[^`]*` invocation)[\s\S]*\n\n(?=[^\n])/g;

/**
 * A copy of any value that is safe to log: numbers masked and keys removed in every string at any
 * depth, texts, names and secrets gone, errors as class, code, message and stack frames.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactString(value);
  if (typeof value === "bigint") return redactString(value.toString());
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[too deep]";
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value) || value instanceof Set) {
    return Array.from(value, (item: unknown) => redact(item, depth + 1));
  }
  if (value instanceof Map) return redactEntries(value.entries(), depth);
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return redact(value.toJSON(), depth + 1);
  }
  return redactEntries(Object.entries(value), depth);
}

/** One string without numbers, keys, row values of the database or arguments of a query. */
export function redactString(text: string): string {
  if (HARMLESS.test(text)) return text;
  return redactText(
    text
      .replace(QUERY_ECHO, `$1: ${REDACTED} `)
      .replace(ROW_VALUES, `$1 ${REDACTED}`)
      .replace(INPUT_VALUES, `$1${REDACTED}`),
  );
}

function redactEntries(entries: Iterable<[unknown, unknown]>, depth: number): unknown {
  const result: Record<string, unknown> = {};
  for (const [rawKey, value] of entries) {
    const key = String(rawKey);
    const safeKey = PLAIN_KEY.test(key) ? key : redactString(key);
    result[safeKey] =
      HIDDEN_KEYS.has(key.toLowerCase()) && value !== undefined && value !== null
        ? REDACTED
        : redact(value, depth + 1);
  }
  return result;
}

function describeError(error: Error, depth: number): unknown {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  // Where the code stood when nothing could be reached tells nothing, and such errors come in floods.
  const away = awayCode(error);
  if (away !== null) return { class: error.constructor.name, code: redact(away) };
  return {
    class: error.constructor.name,
    ...(typeof code === "string" || typeof code === "number" ? { code: redact(code) } : {}),
    message: redactString(error.message),
    stack: stackFrames(error),
    ...(cause instanceof Error ? { cause: redact(cause, depth + 1) } : {}),
  };
}

/** The frames alone: the head of a stack repeats the message, before it was redacted. */
function stackFrames(error: Error): string {
  const stack = (error.stack ?? "").replace(error.message, "");
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map(redactString)
    .join("\n");
}
