import { DELIVERY, type DeliveryTimings } from "../../apps/backend/src/outbound/timings.ts";

/** Waits before the tries after the first, seconds, at a fifth of production's other waits. */
const SCHEDULE_SECONDS = [1, 2, 4, 8, 8, 8, 8];
const FIFTH = 0.2;

/**
 * Production's waits, all shortened alike, so that each still outlasts what it must. The schedule, whose
 * later waits are hours, is replaced.
 *
 * @param scale 0.2 for a fifth
 */
export function shortened(scale: number): DeliveryTimings {
  const timings = { ...DELIVERY, retryScheduleMs: [] };
  for (const [name, wait] of Object.entries(DELIVERY))
    if (typeof wait === "number") Object.assign(timings, { [name]: Math.round(wait * scale) });
  return {
    ...timings,
    retryScheduleMs: SCHEDULE_SECONDS.map((wait) => (wait * 1000 * scale) / FIFTH),
  };
}
