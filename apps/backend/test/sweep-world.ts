import { Writable } from "node:stream";
import { createDatabase } from "@jobrun/db";
import { twilioChannel, type LoggedInbound, type ProviderLog } from "@jobrun/messaging";
import { AlertService } from "../src/alerts/alert-service.ts";
import { createSweep, type Sweep } from "../src/conversations/sweep.ts";
import type { OtherPeople } from "../src/conversations/take-text.ts";
import { createEvents } from "../src/telemetry/events.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { DEMO_NUMBER, type LogLine, type World } from "./harness.ts";

export interface Sweeper extends Sweep {
  log: LogLine[];
  /** `jobrun_recovered_total` of the sweep. */
  recoveredTotal(): Promise<number>;
  close(): Promise<void>;
}

export interface SweeperOptions {
  /** Twilio's log at the simulator when absent. */
  providerLog?: ProviderLog;
  now: () => number;
  /** By so many ms the texts of the simulator's log are older: a sweep goes by the database's clock too, which nobody can set. */
  age?: () => number;
  /** Who takes an operator's texts; when absent they cannot be stored. */
  operator?: OtherPeople["operator"];
  /** So short that nothing is held back, when absent. */
  intervalSeconds?: number;
}

/** A sweep as a gateway process has it, with connections, counters and a clock of its own. */
export function createSweeper(world: World, options: SweeperOptions): Sweeper {
  const log: LogLine[] = [];
  const logger = createLogger({
    level: "info",
    pretty: false,
    stream: new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        log.push(JSON.parse(chunk.toString()));
        done();
      },
    }),
  });
  const db = createDatabase({
    url: world.database.url,
    poolSize: 4,
    queryTimeoutMs: 5_000,
    transactionTimeoutMs: 30_000,
    onQueryTimeout: () => {},
  });
  const events = createEvents({ logger, strict: true });
  const metrics = createMetrics();
  const config = {
    disabled: false,
    founderPhone: null,
    opsNumber: null,
    webhookUrl: null,
    pagerDuty: null,
  };
  const alerts = new AlertService({ db, logger, events, metrics, config });
  const sweep = createSweep({
    db,
    channels: new Map([["sms", twilioOf(world)]]),
    provider: "twilio",
    log: options.providerLog ?? older(twilioLog(world), options.age ?? (() => 0)),
    people: {
      operator: options.operator ?? (async () => ({ kind: "failed" })),
      onboarding: async () => ({ kind: "failed" }),
    },
    events,
    metrics,
    alerts,
    logger,
    deadlineMs: 9_000,
    intervalSeconds: options.intervalSeconds ?? 0.001,
    wakeOutbox: () => {},
    wakeDeferred: () => {},
    now: options.now,
  });
  return {
    ...sweep,
    log,
    recoveredTotal: async () => {
      const { values } = await metrics.recovered.get();
      return values.find(({ labels }) => labels.net === "sweep")?.value ?? 0;
    },
    close: async () => {
      await sweep.stop();
      await db.close();
    },
  };
}

function twilioOf({ simulator }: World) {
  return twilioChannel({
    accountSid: simulator.accountSid,
    authTokens: [simulator.authToken],
    apiBaseUrl: simulator.twilioUrl,
  });
}

function twilioLog(world: World): ProviderLog {
  const { log } = twilioOf(world);
  if (log === undefined) throw new Error("Twilio has a log");
  return log;
}

function older(log: ProviderLog, age: () => number): ProviderLog {
  return {
    ...log,
    received: async (since, signal) => {
      const answer = await log.received(since, signal);
      if (answer.kind === "failed") return answer;
      const found = answer.found.map((text) => ({
        ...text,
        receivedAt: new Date(text.receivedAt.getTime() - age()),
      }));
      return { ...answer, found };
    },
  };
}

/** A provider's log whose texts can be of any time. */
export class LogOfAnyTime implements ProviderLog {
  readonly texts: LoggedInbound[] = [];
  /** When true, it cannot be read. */
  failing = false;

  add(text: { sid: string; from: string; body: string; receivedAt: number; to?: string }): void {
    this.texts.push({
      channel: "sms",
      provider: "twilio",
      providerMessageId: text.sid,
      accountId: "AC1",
      from: text.from,
      to: text.to ?? DEMO_NUMBER,
      body: text.body,
      media: [],
      receivedAt: new Date(text.receivedAt),
    });
  }

  received: ProviderLog["received"] = async (since) =>
    this.failing
      ? { kind: "failed", code: "503" }
      : { kind: "complete", found: this.texts.filter(({ receivedAt }) => receivedAt >= since) };

  accepted: ProviderLog["accepted"] = async () => ({ kind: "complete", found: [] });
}
