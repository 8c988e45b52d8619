import winston from "winston";
import { redact, redactString } from "./redactor.ts";

export interface LoggerOptions {
  /** npm levels: error, warn, info, http, verbose, debug, silly. */
  level: string;
  /** One readable line instead of JSON. Redacted all the same. */
  pretty: boolean;
  /** Where the lines go; the standard output if not given. */
  stream?: NodeJS.WritableStream;
}

/** The key under which winston's transports look for the finished line. */
const MESSAGE = Symbol.for("message");

/**
 * The one log sink: lines `{time, level, message, …}`. Every value passes the redactor here, so no
 * caller can leak a number, a text or a key by forgetting to.
 */
export function createLogger(options: LoggerOptions): winston.Logger {
  return winston.createLogger({
    level: options.level,
    format: options.pretty ? prettyLine() : jsonLine(),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stdout })],
  });
}

const jsonLine = winston.format((info) => {
  info[MESSAGE] = JSON.stringify(safeEntry(info));
  return info;
});

const prettyLine = winston.format((info) => {
  const { time, level, message, ...fields } = safeEntry(info);
  const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : "";
  info[MESSAGE] = `${time} ${level.padEnd(5)} ${message}${rest}`;
  return info;
});

interface Entry extends Record<string, unknown> {
  time: string;
  level: string;
  message: string;
}

function safeEntry(info: winston.Logform.TransformableInfo): Entry {
  const { level, message, ...fields } = info;
  const safe = redact(fields) as Record<string, unknown>;
  const head = { time: new Date().toISOString(), level, message: safeMessage(message) };
  // logger.error(new Error(…)): winston passes the error itself as the entry
  if (info instanceof Error) return { ...head, error: redact(info) };
  return { ...head, ...safe, ...head };
}

function safeMessage(message: unknown): string {
  if (typeof message === "string") return redactString(message);
  return JSON.stringify(redact(message)) ?? "";
}
