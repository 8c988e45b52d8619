import { newId, type Database } from "@jobrun/db";
import type { DeliveryDeps } from "./delivery.ts";
import { upsertIncident } from "./incidents.ts";
import type { MemoryIncident, MemoryIncidents } from "./memory-incidents.ts";
import { postChannels, postThrough, type PostChannel } from "./post-channels.ts";

type Deps = Pick<DeliveryDeps, "config" | "events" | "logger">;

/** While the database is away: tells the founder what is due, by the channels that do not need it. */
export async function deliverFromMemory(
  deps: Deps,
  memory: MemoryIncidents,
  now: Date,
): Promise<void> {
  if (deps.config.disabled) return;
  const due = memory.due(now, postChannels(deps.config));
  await Promise.all(
    due.flatMap(({ incident, by }) => by.map((channel) => post(deps, incident, channel, now))),
  );
}

async function post(
  { config, events, logger }: Deps,
  incident: MemoryIncident,
  channel: PostChannel,
  now: Date,
): Promise<void> {
  const { type, key, severity } = incident;
  const error = await postThrough(channel, config, { ...incident, state: "OPEN" });
  incident.attempts.push({
    channel,
    severity,
    attemptedAt: now,
    ofThisIncident: true,
    state: error === null ? "DELIVERED" : "FAILED",
  });
  if (error === null)
    events.emit("alert_delivered", { requestId: newId(), type, key, severity, channel });
  else logger.error("alert not delivered; it stays due", { type, key, severity, channel, error });
}

/** Writes an incident that was kept in memory, with what the founder was already told. */
export async function storeIncident(
  db: Database,
  incident: MemoryIncident,
  now: Date,
): Promise<void> {
  await db.serviceTransaction(async (tx) => {
    const { id: alertId } = await upsertIncident(tx, incident, incident.occurrences, now);
    const told = incident.attempts.filter(({ state }) => state === "DELIVERED");
    await tx.alertDelivery.createMany({
      data: told.map(({ channel, severity, state, attemptedAt }) => ({
        id: newId(),
        alertId,
        channel,
        severity,
        state,
        attemptedAt,
      })),
    });
  });
}
