import { AsyncLocalStorage } from "node:async_hooks";
import type { AddressInfo } from "node:net";
import { createDatabase, type Database, type Tx } from "@jobrun/db";
import { twilioChannel } from "@jobrun/messaging";
import { AlertService } from "../../apps/backend/src/alerts/alert-service.ts";
import { createApp } from "../../apps/backend/src/app.ts";
import { openaiAssistant } from "../../apps/backend/src/assistant/openai-assistant.ts";
import { scriptedAssistant } from "../../apps/backend/src/assistant/scripted-assistant.ts";
import { withUrgencyNet } from "../../apps/backend/src/assistant/urgency.ts";
import { readConfig } from "../../apps/backend/src/config.ts";
import {
  createInbound,
  type Inbound,
} from "../../apps/backend/src/conversations/handle-inbound.ts";
import { createEvents } from "../../apps/backend/src/telemetry/events.ts";
import { createLogger } from "../../apps/backend/src/telemetry/logger.ts";
import { createMetrics } from "../../apps/backend/src/telemetry/metrics.ts";
import { announce } from "./child.ts";

/**
 * What B2 compares with: the gateway's own parts, put together so that one transaction is open from
 * the first read to the last write, the model's answer in between. It sends nothing, which is in its favour.
 */
const config = readConfig(process.env);
const logger = createLogger({ level: config.LOG_LEVEL, pretty: false });
const events = createEvents({ logger, strict: false });
const metrics = createMetrics();
const db = createDatabase({
  url: config.DATABASE_URL,
  poolSize: config.DATABASE_POOL_SIZE,
  queryTimeoutMs: config.DATABASE_QUERY_TIMEOUT_MS,
  transactionTimeoutMs: config.DATABASE_TRANSACTION_TIMEOUT_MS,
  onQueryTimeout: () => logger.error("Query timeout exceeded"),
});
const channel = twilioChannel({
  accountSid: config.TWILIO_ACCOUNT_SID,
  authTokens: config.TWILIO_AUTH_TOKEN,
});
const alerts = new AlertService({
  db,
  logger,
  events,
  metrics,
  config: {
    disabled: true,
    founderPhone: null,
    opsNumber: null,
    webhookUrl: null,
    pagerDuty: null,
  },
});
const scripted = withUrgencyNet(scriptedAssistant());
const assistant = withUrgencyNet(
  openaiAssistant({
    apiKey: config.OPENAI_API_KEY ?? "",
    ...(config.OPENAI_BASE_URL === undefined ? {} : { baseUrl: config.OPENAI_BASE_URL }),
    model: config.OPENAI_MODEL,
    timeoutMs: config.OPENAI_TIMEOUT_MS,
  }),
);
const channels = new Map([[channel.name, channel]]);
const shared = {
  db,
  channels,
  events,
  metrics,
  alerts,
  logger,
  wakeOutbox: () => {},
  now: Date.now,
};

const app = createApp({
  sms: {
    ...shared,
    channel,
    inbound: insideOneTransaction(),
    people: {
      operator: async () => ({ kind: "failed" }),
      onboarding: async () => ({ kind: "failed" }),
    },
    publicBaseUrl: config.PUBLIC_BASE_URL,
    signatures: config.WEBHOOK_SIGNATURES,
    defaultTo: undefined,
    deadlineMs: config.WEBHOOK_DEADLINE_MS,
    wakeDeferred: () => {},
    deferred: { offer: () => null, take: () => {}, wake: () => {} },
    failsafeSender: undefined,
    cooldownMinutes: 15,
    completeTestCall: async () => null,
  },
  admin: {
    ...shared,
    jwtSecret: undefined,
    excluded: [],
    timers: { schedule: async () => {} },
  },
  health: {
    db,
    alerts,
    config: {
      version: "bench",
      signatures: config.WEBHOOK_SIGNATURES,
      assistantProvider: "openai",
      disabledAlerts: true,
    },
    startedAt: new Date(),
    assistantState: () => ({ lastError: null }),
    sweepState: async () => ({ lastRunAt: null, missed: 0, recovered: 0 }),
    problems: [],
    providers: () => [],
  },
});
await db.connect();
const server = app.listen(config.PORT, config.HOST, () => {
  announce(`http://${config.HOST}:${(server.address() as AddressInfo).port}`, () => db.close());
});

/** The gateway's turn, whose transactions become parts of one that is opened before it. */
function insideOneTransaction(): Inbound {
  const open = new AsyncLocalStorage<Tx>();
  const joined: Database = {
    ...db,
    tenantTransaction: (tenantId, fn) => {
      const tx = open.getStore();
      return tx === undefined ? db.tenantTransaction(tenantId, fn) : fn(tx);
    },
    tenantRead: (tenantId, query) => {
      const tx = open.getStore();
      return tx === undefined ? db.tenantRead(tenantId, query) : tx.$queryRaw(query);
    },
  };
  const inbound = createInbound({
    ...shared,
    db: joined,
    assistant,
    scripted,
    onAssistantFailure: "retry",
    defaultSender: undefined,
    onUrgentJob: async () => {},
  });
  return {
    ...inbound,
    handle: (text) =>
      db.tenantTransaction(text.address.tenantId, (tx) => open.run(tx, () => inbound.handle(text))),
  };
}
