import { randomBytes } from "node:crypto";

/** A new message id as Twilio writes it: `SM` and 32 hexadecimal digits. */
export function newSid(): string {
  return `SM${randomBytes(16).toString("hex")}`;
}
