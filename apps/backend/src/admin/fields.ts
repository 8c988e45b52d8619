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
/** What a provider calls a number of ours, where it is no E.164. */
export const phoneNumberId = z
  .string()
  .regex(/^\w[\w.:-]{0,63}$/, "must be the provider's id of a number")
  .meta({ description: "What the provider calls the number", example: "106540352242922" });
/** A number of a tenant's. */
export const ourNumber = z
  .object({
    channel: z.string(),
    phoneNumber: z.string(),
    provider: z.string().optional(),
    phoneNumberId: phoneNumberId.optional(),
  })
  .meta({ id: "Number" });

/** Of a customer: an E.164, or a short code or a name as the provider gave it. */
export const customerPhone = z
  .string()
  .nullable()
  .meta({ description: "null of a customer who is known by userId alone" });
export const userId = z
  .string()
  .nullable()
  .meta({ description: "The provider's own id of a customer, if it has one" });

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
  "HELD",
]);

/** The path's ids, by name. */
export function ids<Name extends string>(...names: Name[]) {
  return z.object(Object.fromEntries(names.map((name) => [name, id])) as Record<Name, typeof id>);
}
