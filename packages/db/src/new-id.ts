import { v7 } from "uuid";

/** A new UUID v7: unique, and ordered by time so that indexes grow at one end. */
export function newId(): string {
  return v7();
}
