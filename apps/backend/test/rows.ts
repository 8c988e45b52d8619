import { eventually } from "./eventually.ts";
import type { World } from "./harness.ts";

export interface MessageRow {
  id: string;
  direction: "INBOUND" | "OUTBOUND";
  kind: string;
  status: string;
  body: string;
  sender: string;
  recipient: string;
  providerMessageId: string | null;
  attempts: number;
  errorCode: string | null;
}

/** Every row of "Message" that is to or from `person`, in the order of commits. */
export function messagesWith(world: World, person: string): Promise<MessageRow[]> {
  return world.query<MessageRow>(
    `SELECT "id", "direction", "kind", "status", "body", "sender", "recipient", "providerMessageId", "attempts", "errorCode"
     FROM "Message" WHERE $1 IN ("sender", "recipient") ORDER BY "position"`,
    [person],
  );
}

/** The same, once nothing to that person is waiting to be sent or being sent. */
export function settledMessagesWith(world: World, person: string): Promise<MessageRow[]> {
  return eventually(
    () => messagesWith(world, person),
    (rows) => rows.every(({ status }) => status !== "QUEUED" && status !== "SENDING"),
  );
}

/** How many rows the tables that a text writes hold. */
export async function countRows(world: World): Promise<Record<string, number>> {
  const [counts] = await world.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM "Customer") AS "Customer",
            (SELECT count(*)::int FROM "Conversation") AS "Conversation",
            (SELECT count(*)::int FROM "Message") AS "Message",
            (SELECT count(*)::int FROM "Job") AS "Job",
            (SELECT count(*)::int FROM "UnroutedMessage") AS "UnroutedMessage"`,
  );
  if (counts === undefined) throw new Error("no counts");
  return counts;
}

export const NO_ROWS = {
  Customer: 0,
  Conversation: 0,
  Message: 0,
  Job: 0,
  UnroutedMessage: 0,
};
