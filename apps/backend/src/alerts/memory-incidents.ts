import type { Incident, OpenIncident } from "./incidents.ts";
import { planDelivery, type AlertChannel, type Attempt } from "./plan-delivery.ts";

export interface MemoryIncident extends Incident {
  occurrences: number;
  raisedAt: Date;
  lastSeenAt: Date;
  attempts: Attempt[];
  /** It is over, but somebody was told: kept until it is stored, so that they are told of its end as well. */
  isOver: boolean;
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
      known.isOver = false;
      return "known";
    }
    if (this.#byKey.size >= MOST_KEPT) return "full";
    this.#byKey.set(incident.key, {
      ...incident,
      occurrences: Math.max(1, occurrences),
      raisedAt: now,
      lastSeenAt: now,
      attempts: [],
      isOver: false,
    });
    return "opened";
  }

  all(): MemoryIncident[] {
    return [...this.#byKey.values()];
  }

  remove(key: string): void {
    this.#byKey.delete(key);
  }

  /** Ends the incident of a key. */
  resolve(key: string): void {
    const incident = this.#byKey.get(key);
    if (incident?.attempts.some(({ state }) => state === "DELIVERED")) incident.isOver = true;
    else this.remove(key);
  }

  /** What the founder should hear of now and how, by `channels`, which need no database. */
  due<C extends AlertChannel>(now: Date, channels: C[]): { incident: MemoryIncident; by: C[] }[] {
    return this.#open().map((incident) => {
      const about = { ...incident, aboutTexts: false };
      const planned = planDelivery(about, incident.attempts, channels, now.getTime());
      return { incident, by: channels.filter((channel) => planned.includes(channel)) };
    });
  }

  list(): OpenIncident[] {
    return this.#open().map(({ type, severity, occurrences, raisedAt }) => ({
      type,
      severity,
      state: "OPEN",
      raisedAt: raisedAt.toISOString(),
      occurrences,
    }));
  }

  #open(): MemoryIncident[] {
    return this.all().filter(({ isOver }) => !isOver);
  }
}
