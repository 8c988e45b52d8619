import type { Database } from "@jobrun/db";
import { redactText } from "@jobrun/messaging";
import type { AlertService, AlertStatus } from "../alerts/alert-service.ts";
import { readOutbox } from "../alerts/read-outbox.ts";
import { within } from "../alerts/within.ts";

export interface HealthDeps {
  db: Database;
  alerts: AlertService;
  config: {
    version: string;
    signatures: "required" | "off";
    assistantProvider: "openai" | "scripted";
    disabledAlerts: boolean;
  };
  startedAt: Date;
  assistantState: () => { lastError: string | null };
  sweepState: () => Promise<HealthBody["checks"]["sweep"]>;
  /** Each provider as this process sees it. */
  providers: () => ({ provider: string } & ProviderHealth)[];
  /** What providers lack to work, in words for the founder. */
  problems: readonly string[];
}

interface ProviderHealth {
  breaker: "closed" | "half-open" | "open";
  /** Whether the provider sends the messages of every number here. */
  webhooks: "ok" | "differs" | "unchecked";
}

/** What GET /health answers. Numbers that could not be read are null. */
export interface HealthBody {
  status: "ok" | "degraded" | "unhealthy";
  version: string;
  uptimeSeconds: number;
  timestamp: string;
  alerts: AlertStatus;
  checks: {
    database: { status: "ok" | "failed"; latencyMs: number | null };
    outbox: {
      queued: number | null;
      unknown: number | null;
      dead: number | null;
      oldestSeconds: number | null;
    };
    deferred: { waiting: number | null; oldestSeconds: number | null };
    sweep: { lastRunAt: string | null; missed: number; recovered: number };
    providers: Record<string, ProviderHealth>;
    assistant: { provider: "openai" | "scripted"; lastError: string | null };
  };
  violations: string[];
}

const PROBE_MS = 1_000;
const NO_SWEEP = { lastRunAt: null, missed: 0, recovered: 0 };

/**
 * Asks everything side by side, 1 s each, and sums it up: `unhealthy` (503) only when a webhook
 * could not be stored; `degraded` (200) when the founder should look. Carries no secret, number or
 * name.
 */
export async function healthReport(
  deps: HealthDeps,
): Promise<{ httpStatus: 200 | 503; body: HealthBody }> {
  const now = new Date();
  const [latencyMs, outbox, sweep, alerts] = await Promise.all([
    probeDatabase(deps.db).catch(() => null),
    within(PROBE_MS, readOutbox(deps.db, now)).catch(() => null),
    within(PROBE_MS, deps.sweepState()).catch(() => NO_SWEEP),
    deps.alerts.status(),
  ]);
  const { lastError } = deps.assistantState();
  const violations = violationsOf(deps, alerts);
  const isStuck = outbox !== null && (outbox.unknown > 0 || outbox.dead > 0);
  const isCritical = alerts.open.some(({ severity }) => severity === "critical");
  const providers = deps.providers();
  const isCutOff = providers.some(
    ({ breaker, webhooks }) => breaker !== "closed" || webhooks === "differs",
  );
  const isDegraded = isCutOff || violations.length > 0 || isStuck || isCritical || outbox === null;
  const status = latencyMs === null ? "unhealthy" : isDegraded ? "degraded" : "ok";
  const body: HealthBody = {
    status,
    version: deps.config.version,
    uptimeSeconds: Math.floor((now.getTime() - deps.startedAt.getTime()) / 1000),
    timestamp: now.toISOString(),
    alerts,
    checks: {
      database: { status: latencyMs === null ? "failed" : "ok", latencyMs },
      outbox: {
        queued: outbox?.queued ?? null,
        unknown: outbox?.unknown ?? null,
        dead: outbox?.dead ?? null,
        oldestSeconds: whole(outbox?.oldestSeconds),
      },
      deferred: {
        waiting: outbox?.deferred ?? null,
        oldestSeconds: whole(outbox?.oldestDeferredSeconds),
      },
      sweep,
      providers: Object.fromEntries(providers.map(({ provider, ...state }) => [provider, state])),
      assistant: {
        provider: deps.config.assistantProvider,
        lastError: lastError === null ? null : redactText(lastError),
      },
    },
    violations,
  };
  return { httpStatus: status === "unhealthy" ? 503 : 200, body };
}

async function probeDatabase(db: Database): Promise<number> {
  const started = performance.now();
  await within(PROBE_MS, db.service.$queryRaw`SELECT 1`);
  return Math.round(performance.now() - started);
}

/** Settings under which the gateway runs but does not keep all its promises. */
function violationsOf({ config, problems }: HealthDeps, alerts: AlertStatus): string[] {
  return [
    ...problems,
    ...(config.signatures === "off" ? ["WEBHOOK_SIGNATURES=off"] : []),
    ...(config.disabledAlerts ? ["ALERTS_DISABLED=true"] : []),
    ...(alerts.channels.length === 0 ? ["no alert channel is configured"] : []),
  ];
}

function whole(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.floor(seconds);
}
