import type { Server } from "node:http";
import { createDatabase } from "@jobrun/db";
import { createChannels } from "@jobrun/messaging";
import { AlertService } from "./alerts/alert-service.ts";
import { alertsDisabledBanner } from "./alerts/banner.ts";
import { createApp } from "./app.ts";

import { openaiAssistant } from "./assistant/openai-assistant.ts";
import { scriptedAssistant } from "./assistant/scripted-assistant.ts";
import { withUrgencyNet } from "./assistant/urgency.ts";
import { ConfigError, describeConfig, readConfig, type Config } from "./config.ts";
import { deferredWorker } from "./conversations/deferred.ts";
import { createInbound } from "./conversations/handle-inbound.ts";
import { Dispatcher } from "./outbound/dispatch.ts";
import { createEvents } from "./telemetry/events.ts";
import { createLogger } from "./telemetry/logger.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { VERSION } from "./version.ts";

export interface Gateway {
  /** Where it listens, for this machine. */
  url: string;
  /** Finishes what is running, then closes everything: at most 30 s. */
  stop(): Promise<void>;
}

/**
 * Starts the gateway: configuration → database → channels → workers → listen.
 *
 * @param env the environment, see .env.example
 * @param logStream where log lines go; the standard output when not given
 * @throws ConfigError, or the error of a port that is taken
 */
export async function runGateway(
  env: Record<string, string | undefined>,
  logStream?: NodeJS.WritableStream,
): Promise<Gateway> {
  const config = readConfig(env);
  const logger = createLogger({
    level: config.LOG_LEVEL,
    pretty: config.LOG_PRETTY,
    ...(logStream === undefined ? {} : { stream: logStream }),
  });
  const events = createEvents({ logger, strict: config.NODE_ENV === "test" });
  const metrics = createMetrics();
  const db = createDatabase({
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_SIZE,
    queryTimeoutMs: config.DATABASE_QUERY_TIMEOUT_MS,
    transactionTimeoutMs: config.DATABASE_TRANSACTION_TIMEOUT_MS,
    onQueryTimeout: () =>
      logger.error("Query timeout exceeded", { limitMs: config.DATABASE_QUERY_TIMEOUT_MS }),
  });
  const channels = createChannels({
    twilio: {
      accountSid: config.TWILIO_ACCOUNT_SID,
      authTokens: config.TWILIO_AUTH_TOKEN,
      ...(config.TWILIO_API_BASE_URL === undefined
        ? {}
        : { apiBaseUrl: config.TWILIO_API_BASE_URL }),
    },
  });
  const channel = channels.get("sms");
  if (channel === undefined) throw new Error("no provider carries sms");

  const alerts = new AlertService({
    db,
    logger,
    events,
    metrics,
    config: {
      disabled: config.ALERTS_DISABLED,
      founderPhone: config.FOUNDER_ALERT_PHONE ?? null,
      opsNumber: config.TWILIO_OPS_NUMBER ?? config.TWILIO_PHONE_NUMBER ?? null,
      webhookUrl: config.ALERT_WEBHOOK_URL ?? null,
    },
    wakeOutbox: () => dispatcher.wake(),
  });
  const dispatcher = new Dispatcher({ db, channels, events, metrics, alerts, logger });
  const wakeOutbox = () => dispatcher.wake();
  const scripted = withUrgencyNet(scriptedAssistant());
  const { assistant, lastError } = chooseAssistant(config, scripted);
  const inbound = createInbound({
    db,
    assistant,
    scripted,
    onAssistantFailure: config.ASSISTANT_ON_FAILURE,
    events,
    metrics,
    alerts,
    logger,
    wakeOutbox,
    now: Date.now,
  });
  const deferred = deferredWorker({
    db,
    inbound,
    events,
    logger,
    deadlineMs: config.WEBHOOK_DEADLINE_MS,
    operatorAlertMinutes: config.DEFERRED_OPERATOR_ALERT_MINUTES,
    wakeOutbox,
    now: Date.now,
  });
  const app = createApp({
    sms: {
      db,
      channel,
      inbound,
      events,
      metrics,
      alerts,
      logger,
      publicBaseUrl: config.PUBLIC_BASE_URL,
      signatures: config.WEBHOOK_SIGNATURES,
      defaultTo: config.TWILIO_PHONE_NUMBER,
      deadlineMs: config.WEBHOOK_DEADLINE_MS,
      wakeOutbox,
      wakeDeferred: () => deferred.wake(),
      now: Date.now,
    },
    health: {
      db,
      alerts,
      config: {
        version: VERSION,
        signatures: config.WEBHOOK_SIGNATURES,
        assistantProvider: assistant.provider,
        disabledAlerts: config.ALERTS_DISABLED,
      },
      startedAt: new Date(),
      assistantState: () => ({ lastError: lastError() }),
    },
  });

  if (config.ALERTS_DISABLED) process.stderr.write(`${alertsDisabledBanner()}\n`);
  if (config.WEBHOOK_SIGNATURES === "off")
    logger.warn("WEBHOOK_SIGNATURES=off: anyone who reaches this address can pretend to be Twilio");
  logger.info("gateway starting", { version: VERSION, ...describeConfig(config) });

  await db.connect().catch((error: unknown) => {
    logger.error("the database does not answer; texts go to the fallback until it does", { error });
  });
  const server = await listen(app, config);
  dispatcher.start();
  deferred.start();
  alerts.start();
  const { port } = server.address() as { port: number };
  logger.info("gateway listening", { port });

  return {
    url: `http://localhost:${port}`,
    stop: async () => {
      logger.info("gateway stopping: finishing what is running");
      await closeServer(server);
      await deferred.stop();
      await dispatcher.stop();
      await alerts.stop();
      await db.close();
      logger.info("gateway stopped");
    },
  };
}

/** With a key, OpenAI; else the script. Remembers the class of the last failure, for /health. */
function chooseAssistant(config: Config, scripted: ReturnType<typeof withUrgencyNet>) {
  let last: string | null = null;
  if (config.OPENAI_API_KEY === undefined) return { assistant: scripted, lastError: () => null };
  const openai = withUrgencyNet(
    openaiAssistant({
      apiKey: config.OPENAI_API_KEY,
      ...(config.OPENAI_BASE_URL === undefined ? {} : { baseUrl: config.OPENAI_BASE_URL }),
      model: config.OPENAI_MODEL,
      timeoutMs: config.OPENAI_TIMEOUT_MS,
    }),
  );
  const assistant: typeof openai = {
    provider: openai.provider,
    reply: (context, signal, observer) =>
      openai.reply(context, signal, {
        started: () => observer?.started(),
        completed: (info) => {
          last = null;
          observer?.completed(info);
        },
        failed: (info) => {
          last = info.errorClass;
          observer?.failed(info);
        },
      }),
  };
  return { assistant, lastError: () => last };
}

function listen(app: ReturnType<typeof createApp>, config: Config): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = app.listen(config.PORT, config.HOST, (error) =>
      error ? reject(error) : resolve(server),
    );
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

if (import.meta.main) {
  try {
    const gateway = await runGateway(process.env);
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        setTimeout(() => process.exit(1), DRAIN_MS).unref();
        void gateway.stop().then(() => process.exit(0));
      });
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
