import { Router } from "express";
import type { Database } from "@jobrun/db";
import { readOutbox } from "../alerts/read-outbox.ts";
import { within } from "../alerts/within.ts";
import { otherMethods } from "../http/other-methods.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { healthReport, type HealthDeps } from "./health-report.ts";

const REFRESH_MS = 1_000;

/** GET /health for people and monitors, /live for the orchestrator, /metrics for Prometheus. */
export function healthRoutes(deps: HealthDeps & { metrics: Metrics }): Router {
  const router = Router();

  router.get("/live", (_request, response) => {
    response.json({ status: "ok" });
  });

  router.get("/health", async (_request, response) => {
    const { httpStatus, body } = await healthReport(deps);
    response.status(httpStatus).set("cache-control", "no-store").json(body);
  });

  router.get("/metrics", async (_request, response) => {
    await refreshOutbox(deps.metrics, deps.db);
    response.type(deps.metrics.registry.contentType).send(await deps.metrics.registry.metrics());
  });

  router.all(["/live", "/health", "/metrics"], otherMethods("GET"));
  return router;
}

async function refreshOutbox(metrics: Metrics, db: Database): Promise<void> {
  try {
    const outbox = await within(REFRESH_MS, readOutbox(db, new Date()));
    for (const state of ["queued", "sending", "unknown", "dead", "deferred"] as const) {
      metrics.outboxDepth.set({ state }, outbox[state]);
    }
    metrics.outboxOldest.set(outbox.oldestSeconds);
  } catch {
    // No sample is better than an old one: it would look healthy while the database is down.
    metrics.outboxDepth.reset();
    metrics.outboxOldest.remove();
  }
}
