import type { Incident, OpenIncident } from "./incidents.ts";
import { planDelivery, type Attempt } from "./plan-delivery.ts";

export interface MemoryIncident extends Incident {
  occurrences: number;
  raisedAt: Date;
  lastSeenAt: Date;
  attempts: Attempt[];
}

const MOST_KEPT = 100;

/** Incidents of a time in which the database cannot be written. Bounded: the oldest keys win. */
export class MemoryIncidents {
  readonly #byKey = new Map<string, MemoryIncident>();

  /** @returns "opened", "known", or "full" when it could not be kept. */
  add(incident: Incident, occurrences: number, now: Date): "opened" | "known" | "full" {
    const known = this.#byKey.get(incident.key);
    if (known !== undefined) {
      known.occurrences += occurrences;
      known.lastSeenAt = now;
      return "known";
    }
    if (this.#byKey.size >= MOST_KEPT) return "full";
    this.#byKey.set(incident.key, {
      ...incident,
      occurrences: Math.max(1, occurrences),
      raisedAt: now,
      lastSeenAt: now,
      attempts: [],
    });
    return "opened";
  }

  all(): MemoryIncident[] {
    return [...this.#byKey.values()];
  }

  remove(key: string): void {
    this.#byKey.delete(key);
  }

  /** Those the founder should hear of now, by the one channel that needs no database. */
  due(now: Date): MemoryIncident[] {
    return this.all().filter(
      (incident) =>
        planDelivery(
          { ...incident, aboutTexts: false },
          incident.attempts,
          ["webhook"],
          now.getTime(),
        ).length > 0,
    );
  }

  list(): OpenIncident[] {
    return this.all().map(({ type, severity, occurrences, raisedAt }) => ({
      type,
      severity,
      state: "OPEN",
      raisedAt: raisedAt.toISOString(),
      occurrences,
    }));
  }
}
