import { createDatabase, openWakeChannel, type Database, type WakeChannel } from "@jobrun/db";
import {
  createChannels,
  providers,
  takesForms,
  twilioNumbers,
  type Provider,
} from "@jobrun/messaging";
import type winston from "winston";
import { AlertService } from "./alerts/alert-service.ts";
import type { AppDeps } from "./app.ts";
import { chooseAssistant } from "./assistant/choose-assistant.ts";
import type { Config } from "./config.ts";
import { deferredUpkeep } from "./conversations/deferred-upkeep.ts";
import { DeferredWorker } from "./conversations/deferred-worker.ts";
import { createInbound } from "./conversations/handle-inbound.ts";
import { readSweepState } from "./conversations/sweep-state.ts";
import { createSweep } from "./conversations/sweep.ts";
import type { OtherPeople } from "./conversations/take-text.ts";
import { urgentJobHandlers } from "./jobs/escalate-urgent-job.ts";
import { scheduleUrgentTimers } from "./jobs/urgent-job.ts";
import { mediaWorker } from "./media/fetch-media.ts";
import { WebhookCheck } from "./numbers/webhook-check.ts";
import { createOnboarding } from "./onboarding/onboarding.ts";
import { handleOperatorText } from "./operators/handle-operator-text.ts";
import { Dispatcher } from "./outbound/dispatch.ts";
import { announceReceipt, applyPendingReceipts } from "./outbound/receipts.ts";
import { DELIVERY, type DeliveryTimings } from "./outbound/timings.ts";
import { outboxUpkeep } from "./outbound/upkeep.ts";
import { deleteOldRows } from "./timers/retention.ts";
import { TimerService } from "./timers/timer-service.ts";
import type { TimerHandlers } from "./timers/timers.ts";
import { createEvents } from "./telemetry/events.ts";
import { createLogger } from "./telemetry/logger.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { VERSION } from "./version.ts";

const MINUTE_MS = 60_000;

export interface RunOptions {
  /** Where log lines go; the standard output when not given. */
  logStream?: NodeJS.WritableStream;
  /** Other waits than those of production, to see in seconds what takes minutes. */
  timings?: DeliveryTimings;
  /** Other providers than those of the registry. */
  providers?: readonly Provider[];
}

/** All parts of a process, made and not started. */
export interface Composition {
  logger: winston.Logger;
  db: Database;
  app: AppDeps;
  startWorkers(): void;
  /** Resolves when each has finished what it was doing. */
  stopWorkers(): Promise<void>;
}

/** Makes every part and gives each what it needs. Nothing runs and nothing connects yet. */
export function compose(
  config: Config,
  { timings = DELIVERY, logStream, providers: registered = providers }: RunOptions,
): Composition {
  const logger = createLogger({
    level: config.LOG_LEVEL,
    pretty: config.LOG_PRETTY,
    ...(logStream === undefined ? {} : { stream: logStream }),
  });
  const events = createEvents({ logger, strict: config.NODE_ENV === "test" });
  const metrics = createMetrics();
  const now = Date.now;
  const db = createDatabase({
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_SIZE,
    queryTimeoutMs: config.DATABASE_QUERY_TIMEOUT_MS,
    transactionTimeoutMs: config.DATABASE_TRANSACTION_TIMEOUT_MS,
    onQueryTimeout: () =>
      logger.error("Query timeout exceeded", { limitMs: config.DATABASE_QUERY_TIMEOUT_MS }),
  });

  const twilio = {
    accountSid: config.TWILIO_ACCOUNT_SID,
    authTokens: config.TWILIO_AUTH_TOKEN,
    ...(config.TWILIO_API_BASE_URL !== undefined && { apiBaseUrl: config.TWILIO_API_BASE_URL }),
  };
  const channels = createChannels(registered, config, {
    publicBaseUrl: config.PUBLIC_BASE_URL,
    attemptTimeoutMs: timings.attemptTimeoutMs,
  });
  const channel = channels.get("sms");
  if (channel === undefined || !takesForms(channel)) throw new Error("no provider carries sms");

  let wakes: WakeChannel | undefined;
  let deferredWakes: WakeChannel | undefined;
  const wakeOutbox = () => dispatcher.wake();
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
      pagerDuty:
        config.PAGERDUTY_ROUTING_KEY === undefined
          ? null
          : { routingKey: config.PAGERDUTY_ROUTING_KEY },
    },
    openBreakers: () =>
      Object.entries(dispatcher.breakers())
        .filter(([, state]) => state !== "closed")
        .map(([provider]) => provider),
    wakeOutbox,
  });
  const dispatcher = new Dispatcher({
    db,
    channels,
    timings,
    events,
    metrics,
    alerts,
    logger,
    callOthers: () => wakes?.notify(),
  });
  const receipts = { events, alerts, logger, wakeOutbox };
  const upkeep = outboxUpkeep({
    db,
    channels,
    timings,
    events,
    logger,
    applyPendingReceipts: async () => {
      for (const applied of await applyPendingReceipts(db)) announceReceipt(receipts, applied);
    },
    wakeOutbox,
  });

  const timers = new TimerService({ databaseUrl: config.DATABASE_URL, logger });
  const { assistant, scripted, lastError } = chooseAssistant(
    config.OPENAI_API_KEY === undefined
      ? null
      : {
          apiKey: config.OPENAI_API_KEY,
          ...(config.OPENAI_BASE_URL !== undefined && { baseUrl: config.OPENAI_BASE_URL }),
          model: config.OPENAI_MODEL,
          timeoutMs: config.OPENAI_TIMEOUT_MS,
        },
  );
  const defaultSender = config.TWILIO_PHONE_NUMBER;
  const inbound = createInbound({
    db,
    channels,
    defaultSender,
    assistant,
    scripted,
    onAssistantFailure: config.ASSISTANT_ON_FAILURE,
    events,
    metrics,
    alerts,
    logger,
    onUrgentJob: (tx, job) =>
      scheduleUrgentTimers(tx, timers, job, {
        secondTextMs: config.URGENT_SECOND_TEXT_MINUTES * MINUTE_MS,
        founderMs: config.URGENT_FOUNDER_MINUTES * MINUTE_MS,
      }),
    wakeOutbox,
    now,
  });
  const shared = {
    db,
    channels,
    defaultSender,
    timers,
    events,
    metrics,
    alerts,
    logger,
    wakeOutbox,
  };
  const excluded = [
    config.TWILIO_PHONE_NUMBER,
    config.TWILIO_OPS_NUMBER,
    config.SYSTEM_FAILSAFE_SMS_NUMBER,
  ].filter((number) => number !== undefined);
  const onboarding = createOnboarding({ ...shared, excluded });
  const people: OtherPeople = {
    operator: (text) => handleOperatorText(shared, text),
    onboarding: (text) => onboarding.handle(text),
  };
  const deadlineMs = config.WEBHOOK_DEADLINE_MS;
  const deferred = new DeferredWorker({
    db,
    inbound,
    logger,
    deadlineMs,
    timings,
    callOthers: () => deferredWakes?.notify(),
    now,
  });
  const waiting = deferredUpkeep({
    db,
    channels,
    events,
    logger,
    timings,
    operatorAlertMinutes: config.DEFERRED_OPERATOR_ALERT_MINUTES,
    defaultSender,
    wakeOutbox,
  });
  const wakeDeferred = () => deferred.wake();
  const sweep =
    channel.log &&
    createSweep({
      db,
      channels,
      provider: channel.provider,
      log: channel.log,
      people,
      events,
      metrics,
      alerts,
      logger,
      deadlineMs,
      intervalSeconds: config.SWEEP_INTERVAL_SECONDS,
      wakeOutbox,
      wakeDeferred,
      now,
    });
  const webhookCheck = new WebhookCheck({
    db,
    numbers: twilioNumbers(twilio),
    publicBaseUrl: config.PUBLIC_BASE_URL,
    alerts,
    logger,
  });
  const timerHandlers: TimerHandlers = {
    ...urgentJobHandlers(shared),
    ...onboarding.timers,
    retention: () => deleteOldRows(db, logger),
  };
  const timerWorker = { start: () => timers.start(timerHandlers), stop: () => timers.stop() };
  const workers = [
    ...(sweep ? [sweep] : []),
    timerWorker,
    onboarding,
    deferred,
    waiting,
    dispatcher,
    upkeep,
    webhookCheck,
    mediaWorker({ db, channels, logger }),
    alerts,
  ];

  return {
    logger,
    db,
    app: {
      sms: {
        db,
        channels,
        channel,
        inbound,
        people,
        events,
        metrics,
        alerts,
        logger,
        publicBaseUrl: config.PUBLIC_BASE_URL,
        signatures: config.WEBHOOK_SIGNATURES,
        defaultTo: config.TWILIO_PHONE_NUMBER,
        deadlineMs,
        wakeOutbox,
        wakeDeferred,
        deferred,
        now,
        failsafeSender: config.SYSTEM_FAILSAFE_SMS_NUMBER,
        cooldownMinutes: config.CALLER_COOLDOWN_MINUTES,
        completeTestCall: (tx, call) => onboarding.completeTestCall(tx, call),
      },
      admin: { ...shared, jwtSecret: config.JWT_SECRET, excluded },
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
        sweepState: () => readSweepState(db),
        problems: [...channels.values()].flatMap(({ webhook }) => webhook?.problems ?? []),
        providers: () => {
          const breakers = dispatcher.breakers();
          return [...channels.values()].map(({ provider, webhook }) => ({
            provider,
            breaker: breakers[provider] ?? "closed",
            webhooks: webhook === undefined ? webhookCheck.state() : stateOf(webhook.problems),
          }));
        },
      },
    },
    startWorkers: () => {
      wakes = openWakeChannel({
        url: config.DATABASE_URL,
        name: "jobrun_outbox",
        onWake: () => dispatcher.wake(),
        onLost: (error) =>
          logger.warn("not told of other processes' texts; looking for them every second", {
            error,
          }),
      });
      deferredWakes = openWakeChannel({
        url: config.DATABASE_URL,
        name: "jobrun_deferred",
        onWake: () => deferred.look(),
        onLost: (error) =>
          logger.warn(
            "not told of other processes' deferred texts; looking for them every second",
            {
              error,
            },
          ),
      });
      for (const worker of workers) worker.start();
    },
    stopWorkers: async () => {
      for (const worker of workers) await worker.stop();
      await wakes?.close();
      await deferredWakes?.close();
    },
  };
}

/** Nobody can be asked what address is configured there; what is missing here is known. */
function stateOf(problems: readonly string[]): "differs" | "unchecked" {
  return problems.length > 0 ? "differs" : "unchecked";
}
