/** Where pg-boss keeps its tables, and the one queue all timers share: one queue is one poll. */
export const TIMER_SCHEMA = "pgboss";
export const TIMER_QUEUE = "timers";
