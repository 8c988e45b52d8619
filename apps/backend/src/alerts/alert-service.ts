import { newId, type Database, type Tx } from "@jobrun/db";
import { redactText } from "@jobrun/messaging";
import type { Logger } from "winston";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { alertTypes, type AlertType, type Severity } from "./alert-types.ts";
import { deliverFromMemory, storeIncident } from "./deliver-from-memory.ts";
import { configuredChannels, deliverDue, type AlertConfig } from "./delivery.ts";
import { defaultThresholds, evaluate, type Signal } from "./evaluate.ts";
import {
  countOpen,
  listOpen,
  resolveEnded,
  resolveIncident,
  resolveUnseen,
  upsertIncident,
  type Incident,
  type OpenIncident,
  type ResolvedIncident,
} from "./incidents.ts";
import { MemoryIncidents } from "./memory-incidents.ts";
import { ProcessCounts } from "./process-counters.ts";
import { readOutbox, type OutboxState } from "./read-outbox.ts";
import { within } from "./within.ts";

export interface AlertServiceDeps {
  db: Database;
  logger: Logger;
  events: Events;
  metrics: Metrics;
  config: AlertConfig;
  now?: () => Date;
  /** Providers whose breaker is not closed, in this process. */
  openBreakers?: () => string[];
  /** Called when a text to the founder was committed to the outbox. */
  wakeOutbox?: () => void;
}

export interface NewAlert {
  type: AlertType;
  /** What it is about, where one type can have several incidents: a provider, an id. */
  resource?: string;
  severity?: Severity;
  /** No personal data; numbers are masked all the same. */
  summary?: string;
  requestId?: string;
}

export interface AlertStatus {
  enabled: boolean;
  reason: string | null;
  founderPhoneConfigured: boolean;
  channels: string[];
  open: OpenIncident[];
}

const TICK_MS = 5_000;
const STATUS_TIMEOUT_MS = 900;

/**
 * Records incidents and tells the founder. Apart from `raiseIn`, whose failure belongs to the
 * caller's transaction, nothing here throws: an alert never breaks what it watches.
 */
export class AlertService {
  readonly #deps: Required<AlertServiceDeps>;
  readonly #counts = new ProcessCounts();
  readonly #memory = new MemoryIncidents();
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;

  constructor(deps: AlertServiceDeps) {
    this.#deps = { now: () => new Date(), openBreakers: () => [], wakeOutbox: () => {}, ...deps };
  }

  /** Opens an incident, or counts it on the open one. While the database is down it is kept in memory. */
  async raise(alert: NewAlert): Promise<void> {
    await this.#record(incidentOf(alert), 1, alert.requestId);
  }

  /**
   * As `raise`, as a part of the caller's transaction above tenants: it stands or falls with it.
   *
   * @throws what the database throws, since the transaction cannot go on after that.
   */
  async raiseIn(tx: Tx, alert: NewAlert): Promise<void> {
    const incident = incidentOf(alert);
    const { opened } = await upsertIncident(tx, incident, 1, this.#deps.now());
    if (opened) this.#announce(incident, alert.requestId);
  }

  /** Ends the incident, if it is open. */
  async resolve(type: AlertType, resource?: string): Promise<void> {
    const key = keyOf(type, resource);
    this.#memory.resolve(key);
    await this.#guarded("alert not resolved", async () => {
      this.#announceResolved(await resolveIncident(this.#deps.db, key, this.#deps.now()));
    });
  }

  recordSignatureFailure(): void {
    this.#counts.signatureFailed(this.#deps.now().getTime());
  }

  recordTransactionFailure(): void {
    this.#counts.transactionFailed(this.#deps.now().getTime());
  }

  /** @param errorClass one that contains "auth" means that our credentials were refused. */
  recordAssistantFailure(errorClass: string): void {
    this.#counts.assistantFailed(errorClass, this.#deps.now().getTime());
  }

  recordAssistantSuccess(): void {
    this.#counts.assistantSucceeded();
  }

  /** Evaluates what was counted and what the database shows, then tells the founder what is due. */
  tick(): Promise<void> {
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  /** Ticks every 5 s until `stop`. */
  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), TICK_MS);
  }

  /** Ends the ticks and waits for the one that runs. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#ticking;
  }

  /** For /health. Answers within 1 s; without the database, from what this process knows. */
  async status(): Promise<AlertStatus> {
    const { db, config } = this.#deps;
    const stored = await within(STATUS_TIMEOUT_MS, listOpen(db)).catch(() => []);
    return {
      enabled: !config.disabled,
      reason: config.disabled ? "ALERTS_DISABLED env var set to true" : null,
      founderPhoneConfigured: config.founderPhone !== null,
      channels: configuredChannels(config),
      open: [...stored, ...this.#memory.list()],
    };
  }

  async #tick(): Promise<void> {
    const now = this.#deps.now();
    const outbox = await readOutbox(this.#deps.db, now).catch(() => null);
    const signals = evaluate(this.#countersWith(outbox), defaultThresholds, now.getTime());
    const holding = await this.#recordActive(signals);
    if (outbox === null) return deliverFromMemory(this.#deps, this.#memory, now);
    await this.#endOthers(holding, now);
    await this.#guarded("alerts not evaluated", async () => {
      const { db, metrics, config } = this.#deps;
      await this.#storeMemory(now);
      this.#announceResolved(await resolveUnseen(db, now));
      if (!config.disabled) await deliverDue(this.#deps, now);
      const open = await countOpen(db);
      metrics.alertsOpen.set({ severity: "warning" }, open.warning);
      metrics.alertsOpen.set({ severity: "critical" }, open.critical);
    });
  }

  #countersWith(outbox: OutboxState | null) {
    return {
      process: { ...this.#counts.read(), openBreakers: this.#deps.openBreakers() },
      outbox: outbox && { ...outbox, dead: outbox.deadApartFromAlerts },
    };
  }

  /** @returns the keys of the conditions that hold. */
  async #recordActive(signals: Signal[]): Promise<string[]> {
    const incidents = signals.filter(({ active }) => active).map(incidentOf);
    for (const incident of incidents) await this.#record(incident, 0);
    return incidents.map(({ key }) => key);
  }

  /** What one process counts says nothing about the others: those incidents close unseen. */
  async #endOthers(holding: string[], now: Date): Promise<void> {
    for (const { key, type } of this.#memory.all())
      if (alertTypes[type].resolution.when === "condition ends" && !holding.includes(key))
        this.#memory.resolve(key);
    await this.#guarded("alerts not resolved", async () => {
      this.#announceResolved(await resolveEnded(this.#deps.db, holding, now));
    });
  }

  async #record(incident: Incident, occurrences: number, requestId?: string): Promise<void> {
    const { db, logger } = this.#deps;
    const now = this.#deps.now();
    try {
      const { opened } = await upsertIncident(db.service, incident, occurrences, now);
      if (opened) this.#announce(incident, requestId);
    } catch (error) {
      const kept = this.#memory.add(incident, occurrences, now);
      if (kept === "opened") {
        logger.error("alert kept in memory: the database did not take it", { error });
        this.#announce(incident, requestId);
      } else if (kept === "full") {
        logger.error("alert lost: the memory is full", { type: incident.type, key: incident.key });
      }
    }
  }

  #announce({ type, key, severity }: Incident, requestId = newId()): void {
    const { events, config } = this.#deps;
    const alert = { requestId, type, key: redactText(key), severity };
    events.emit("alert_raised", alert);
    const isMute = configuredChannels(config).length === 0;
    if (config.disabled) events.emit("alert_suppressed", { ...alert, reason: "disabled" });
    else if (isMute) events.emit("alert_suppressed", { ...alert, reason: "no_channel" });
  }

  #announceResolved(resolved: ResolvedIncident[]): void {
    for (const incident of resolved) {
      this.#deps.events.emit("alert_resolved", { requestId: newId(), ...incident });
    }
  }

  /** The database is back: what was kept becomes rows, with what the founder was already told. */
  async #storeMemory(now: Date): Promise<void> {
    for (const incident of this.#memory.all()) {
      await storeIncident(this.#deps.db, incident, now);
      this.#memory.remove(incident.key);
      if (!incident.isOver) continue;
      this.#announceResolved(await resolveIncident(this.#deps.db, incident.key, now));
    }
  }

  async #guarded(failure: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.logger.error(failure, { error });
    }
  }
}

function incidentOf({ type, resource, severity, summary }: Omit<NewAlert, "requestId">): Incident {
  const definition = alertTypes[type];
  return {
    key: keyOf(type, resource),
    type,
    severity: severity ?? definition.severity,
    summary: redactText(summary ?? definition.summary),
  };
}

function keyOf(type: AlertType, resource?: string): string {
  return resource === undefined ? type : `${type}:${resource}`;
}
