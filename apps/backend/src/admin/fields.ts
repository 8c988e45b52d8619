import { z } from "zod";

/** Fields that several resources share. */
export const id = z.guid().toLowerCase().meta({ description: "UUID" });
/** A Date as the database gives it, told as text. */
export const time = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime());
export const phone = z
  .string()
  .regex(/^\+[1-9]\d{6,14}$/, "must be a number in E.164 with +")
  .meta({ example: "+447700900123" });

export const messageStatus = z.enum([
  "RECEIVED",
  "DEFERRED",
  "QUEUED",
  "SENDING",
  "SENT",
  "DELIVERED",
  "READ",
  "FAILED",
  "UNKNOWN",
  "DEAD",
]);

/** The path's ids, by name. */
export function ids<Name extends string>(...names: Name[]) {
  return z.object(Object.fromEntries(names.map((name) => [name, id])) as Record<Name, typeof id>);
}
