export { createDatabase } from "./database.ts";
export type { Database, DatabaseOptions, Tx } from "./database.ts";
export { sqlState } from "./sql-state.ts";
export { newId } from "./new-id.ts";
export { Prisma } from "./generated/client.ts";
export { openWakeChannel } from "./wake-channel.ts";
export type { WakeChannel } from "./wake-channel.ts";
export { TIMER_QUEUE, TIMER_SCHEMA } from "./timer-queue.ts";
