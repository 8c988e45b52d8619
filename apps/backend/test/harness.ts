import { Writable } from "node:stream";
import { createTestDatabase, type TestDatabase } from "@jobrun/db/testing";
import type { Provider } from "@jobrun/messaging";
import {
  inboundParams,
  signTwilioRequest,
  startSimulator,
  type Simulator,
} from "@jobrun/simulator";
import pg from "pg";
import { runGateway, runWorker, type Gateway, type RunOptions } from "../src/main.ts";
import { expectedWebhooks } from "../src/numbers/provision.ts";
import { DELIVERY, type DeliveryTimings } from "../src/outbound/timings.ts";

/** The demo tenant's number, and a customer of it. */
export const DEMO_NUMBER = "+447987654321";
export const CUSTOMER = "+447123456789";

/** What providers call, as far as signatures go; the test's own port differs. */
const PUBLIC_URL = "https://gateway.example.com";

export interface LogLine {
  level: string;
  message: string;
  event?: string;
  [field: string]: unknown;
}

export interface CustomerText {
  body?: string;
  from?: string;
  to?: string;
  /** A new one when absent. */
  sid?: string;
  path?: string;
  /** Instead of the right one; null sends none. */
  signature?: string | null;
}

export interface Answer {
  status: number;
  contentType: string;
  body: string;
}

export interface World {
  simulator: Simulator;
  database: TestDatabase;
  /** Asks the database as its owner, above row-level security. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Another gateway process's worth of gateway on the same database. */
  startGateway(
    env?: Record<string, string>,
    timings?: Partial<DeliveryTimings>,
    /** Other providers than those of the registry. */
    providers?: readonly Provider[],
  ): Promise<RunningGateway>;
  /** The workers alone, as `pnpm start:worker`. Stopped with the world. */
  startWorker(timings?: Partial<DeliveryTimings>): Promise<void>;
  close(): Promise<void>;
}

export interface RunningGateway {
  url: string;
  log: LogLine[];
  /** Resolves with the first log line, past or future, that fits. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Posts a signed Twilio webhook. */
  text(message: CustomerText): Promise<Answer>;
  stop(): Promise<void>;
}

/** Far above what a test writes in a burst. */
const GENEROUS = { max: 1_000, windowSeconds: 30 };

/**
 * A database, a simulator and as many gateways as the test starts.
 *
 * @param options `usualRates`: the demo tenant has those of every plan; else a test may write as fast as it likes
 */
export async function createWorld(options: { usualRates?: boolean } = {}): Promise<World> {
  const database = await createTestDatabase();
  const simulator = await startSimulator();
  simulator.addNumber(DEMO_NUMBER, expectedWebhooks(PUBLIC_URL));
  // A connection may still be closing when the database is dropped, and be told so.
  const pool = new pg.Pool({ connectionString: database.url, max: 2 }).on("error", () => {});
  const gateways: { stop(): Promise<void> }[] = [];
  if (options.usualRates !== true)
    await pool.query('UPDATE "Client" SET "limits" = $1', [
      { conversationRate: GENEROUS, senderRate: GENEROUS },
    ]);
  return {
    simulator,
    database,
    query: async (sql, values) => (await pool.query(sql, values)).rows,
    startGateway: async (env = {}, timings = {}, providers) => {
      const gateway = await start(simulator, database, env, {
        timings: { ...DELIVERY, ...timings },
        ...(providers && { providers }),
      });
      gateways.push(gateway);
      return gateway;
    },
    startWorker: async (timings = {}) => {
      const env = environment(simulator, database);
      const sink = new LogSink();
      gateways.push(
        await runWorker(env, { logStream: sink, timings: { ...DELIVERY, ...timings } }),
      );
    },
    close: async () => {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await pool.end();
      await simulator.close();
      await database.drop();
    },
  };
}

async function start(
  simulator: Simulator,
  database: TestDatabase,
  env: Record<string, string>,
  options: RunOptions,
): Promise<RunningGateway> {
  const sink = new LogSink();
  const gateway: Gateway = await runGateway(
    { ...environment(simulator, database), ...env },
    { logStream: sink, ...options },
  );
  let stopped: Promise<void> | null = null;
  return {
    url: gateway.url,
    log: sink.lines,
    logged: (fits) => sink.first(fits),
    text: (message) => textTo(simulator, gateway.url, message),
    stop: () => (stopped ??= gateway.stop()),
  };
}

function environment(simulator: Simulator, database: TestDatabase) {
  return {
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    PUBLIC_BASE_URL: PUBLIC_URL,
    DATABASE_URL: database.url,
    TWILIO_ACCOUNT_SID: simulator.accountSid,
    TWILIO_AUTH_TOKEN: simulator.authToken,
    TWILIO_PHONE_NUMBER: DEMO_NUMBER,
    TWILIO_API_BASE_URL: simulator.twilioUrl,
    OPENAI_API_KEY: simulator.openaiKey,
    OPENAI_BASE_URL: simulator.openaiUrl,
  };
}

/** Posts a signed Twilio webhook to any gateway, also one in another process. */
export function textTo(simulator: Simulator, url: string, message: CustomerText): Promise<Answer> {
  const {
    body = "I need a plumber today",
    from = CUSTOMER,
    to = DEMO_NUMBER,
    sid,
    path = "/sms",
  } = message;
  const params = inboundParams({
    from,
    to,
    body,
    accountSid: simulator.accountSid,
    ...(sid === undefined ? {} : { sid }),
  });
  const { signature = signTwilioRequest(simulator.authToken, PUBLIC_URL + path, params) } = message;
  return post(
    url + path,
    new URLSearchParams(params),
    signature === null ? {} : { "x-twilio-signature": signature },
  );
}

/** Posts a form and reads the whole answer. */
export async function post(
  url: string,
  body: URLSearchParams | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  });
  return {
    status: response.status,
    contentType: response.headers.get("content-type") ?? "",
    body: await response.text(),
  };
}

/** Collects the gateway's JSON log lines and tells who waits for one. */
class LogSink extends Writable {
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<(line: LogLine) => void>();

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const text of chunk.toString().split("\n").filter(Boolean)) {
      const line: LogLine = JSON.parse(text);
      this.lines.push(line);
      for (const notify of this.#waiting) notify(line);
    }
    done();
  }

  first(fits: (line: LogLine) => boolean): Promise<LogLine> {
    const past = this.lines.find(fits);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => {
      const notify = (line: LogLine) => {
        if (!fits(line)) return;
        this.#waiting.delete(notify);
        resolve(line);
      };
      this.#waiting.add(notify);
    });
  }
}
