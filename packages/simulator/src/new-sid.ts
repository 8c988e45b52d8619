import { randomBytes } from "node:crypto";

/** A new id as Twilio writes it: a prefix, `SM` for a message, and 32 hexadecimal digits. */
export function newSid(prefix: "SM" | "PN" | "CA" = "SM"): string {
  return `${prefix}${randomBytes(16).toString("hex")}`;
}
