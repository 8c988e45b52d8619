import type { Server } from "node:http";
import { alertsDisabledBanner } from "./alerts/banner.ts";
import { createApp } from "./app.ts";
import { compose, type Composition, type RunOptions } from "./compose.ts";
import { ConfigError, describeConfig, readConfig, type Config } from "./config.ts";
import { VERSION } from "./version.ts";

export { CONCURRENCY } from "./outbound/dispatch.ts";
export type { RunOptions } from "./compose.ts";
export type { DeliveryTimings } from "./outbound/timings.ts";

export interface Worker {
  /** Finishes what is running, then closes everything: at most 30 s. */
  stop(): Promise<void>;
}

export interface Gateway extends Worker {
  /** Where it listens, for this machine. */
  url: string;
}

/**
 * Starts the gateway: configuration → database → channels → workers → listen.
 *
 * @param env the environment, see .env.example
 * @throws ConfigError, or the error of a port that is taken
 */
export async function runGateway(
  env: Record<string, string | undefined>,
  options: RunOptions = {},
): Promise<Gateway> {
  const config = readConfig(env, options.providers);
  const parts = await begin(config, options);
  const server = await listen(createApp(parts.app), config);
  parts.startWorkers();
  const { port } = server.address() as { port: number };
  parts.logger.info("gateway listening", { port });
  return {
    url: `http://localhost:${port}`,
    stop: () => end(parts, () => closeServer(server)),
  };
}

/**
 * Starts the workers alone, beside any number of gateways on the same database: they send texts,
 * answer deferred messages, sweep, settle and tell the founder, and listen to no port.
 *
 * @param env as of the gateway
 * @throws ConfigError
 */
export async function runWorker(
  env: Record<string, string | undefined>,
  options: RunOptions = {},
): Promise<Worker> {
  const parts = await begin(readConfig(env, options.providers), options);
  parts.startWorkers();
  parts.logger.info("worker running");
  return { stop: () => end(parts, async () => {}) };
}

async function begin(config: Config, options: RunOptions): Promise<Composition> {
  const parts = compose(config, options);
  const { logger, db } = parts;
  if (config.ALERTS_DISABLED) process.stderr.write(`${alertsDisabledBanner()}\n`);
  if (config.WEBHOOK_SIGNATURES === "off")
    logger.warn("WEBHOOK_SIGNATURES=off: anyone who reaches this address can pretend to be Twilio");
  for (const problem of parts.app.health.problems) logger.warn(problem);
  logger.info("gateway starting", { version: VERSION, ...describeConfig(config) });
  await db.connect().catch((error: unknown) => {
    logger.error("the database does not answer; texts go to the fallback until it does", { error });
  });
  return parts;
}

async function end(parts: Composition, stopListening: () => Promise<void>): Promise<void> {
  parts.logger.info("gateway stopping: finishing what is running");
  await stopListening();
  await parts.stopWorkers();
  await parts.db.close();
  parts.logger.info("gateway stopped");
}

/** Longer than proxies keep a connection: the one that closes first must not be us, with a webhook on its way. */
const KEEP_ALIVE_MS = 75_000;

function listen(app: ReturnType<typeof createApp>, config: Config): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = app.listen(config.PORT, config.HOST, (error) =>
      error ? reject(error) : resolve(server),
    );
    server.keepAliveTimeout = KEEP_ALIVE_MS;
  });
}

/** How often connections that became idle are closed, so that a keep-alive does not delay the end. */
const CLOSE_IDLE_MS = 50;

/** Stops accepting; resolves when the last running webhook has its answer. */
function closeServer(server: Server): Promise<void> {
  const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS);
  return new Promise((resolve) => {
    server.close(() => {
      clearInterval(closeIdle);
      resolve();
    });
  });
}

/** Longest a shutdown may take; a process that hangs longer is ended. */
const DRAIN_MS = 30_000;

/** Stops on the first SIGINT, SIGTERM or SIGHUP, then ends the process; more of them change nothing. */
export function stopOnSignal(running: Worker): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => process.exit(1), DRAIN_MS).unref();
      void running.stop().then(() => process.exit(0));
    });
}

if (import.meta.main) {
  try {
    stopOnSignal(await runGateway(process.env));
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
