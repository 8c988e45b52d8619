import type { SentMessage } from "@jobrun/simulator";
import type pg from "pg";

/** What must be zero at the end. */
export const checks = {
  lost: "stored for sending and never accepted by the provider",
  doubled: "accepted by the provider more than once",
  "given up": "FAILED or DEAD although the provider would have taken it",
  unsettled: "left QUEUED, SENDING, UNKNOWN or DEFERRED",
  order: "accepted before one that was committed earlier in its conversation",
  misnamed: "stored with another provider id than that of its acceptance",
  stray: "accepted by the provider without an id of ours, or with one that is not stored",
  unheard: "inbound texts not stored exactly once",
  unanswered: "inbound texts with no reply after them",
} as const;

export type CheckName = keyof typeof checks;

/** Per check the ids that break it. */
export type Findings = Record<CheckName, string[]>;

interface Row {
  id: string;
  position: number;
  direction: "INBOUND" | "OUTBOUND";
  kind: string;
  sender: string;
  recipient: string;
  status: string;
  twilioSid: string | null;
}

/**
 * Compares what is stored with the provider's own log.
 *
 * @param accepted what the provider accepted, in that order
 * @param sids ids of the texts that customers wrote
 * @param operators numbers whose texts belong to no conversation
 */
export async function verify(
  database: pg.Pool,
  accepted: SentMessage[],
  sids: string[],
  operators: ReadonlySet<string>,
): Promise<Findings> {
  const { rows } = await database.query<Row>(
    `SELECT "id", "position"::int, "direction", "kind", "sender", "recipient", "status", "twilioSid"
     FROM "Message" ORDER BY "position"`,
  );
  const outbound = rows.filter(({ direction }) => direction === "OUTBOUND");
  const inbound = rows.filter(({ direction }) => direction === "INBOUND");
  const byId = new Map(outbound.map((row) => [row.id, row]));
  const acceptances = Map.groupBy(accepted, ({ statusCallback }) => ourId(statusCallback));
  const stored = Map.groupBy(inbound, ({ twilioSid }) => twilioSid ?? "");
  const ids = (some: Row[]) => some.map(({ id }) => id);

  return {
    lost: ids(outbound.filter(({ id }) => !acceptances.has(id))),
    doubled: ids(outbound.filter(({ id }) => (acceptances.get(id)?.length ?? 0) > 1)),
    "given up": ids(outbound.filter(({ status }) => status === "FAILED" || status === "DEAD")),
    unsettled: ids(rows.filter(({ status }) => UNSETTLED.has(status))),
    order: overtakers(
      accepted.flatMap(({ statusCallback }) => byId.get(ourId(statusCallback)) ?? []),
      operators,
    ),
    misnamed: ids(
      outbound.filter(({ id, twilioSid }) => {
        const names = acceptances.get(id)?.map(({ sid }) => sid) ?? [];
        return twilioSid !== null && !names.includes(twilioSid);
      }),
    ),
    stray: accepted
      .filter(({ statusCallback }) => !byId.has(ourId(statusCallback)))
      .map(({ sid }) => sid),
    unheard: sids.filter((sid) => stored.get(sid)?.length !== 1),
    unanswered: unanswered(inbound, outbound),
  };
}

const UNSETTLED = new Set(["QUEUED", "SENDING", "UNKNOWN", "DEFERRED"]);

/** Ours travels in the callback's query; empty when there is none. */
function ourId(statusCallback: string | null): string {
  return statusCallback === null ? "" : (new URL(statusCallback).searchParams.get("m") ?? "");
}

/** Positions of a conversation's texts must rise in the order of their first acceptance. */
function overtakers(accepted: Row[], operators: ReadonlySet<string>): string[] {
  const last = new Map<string, number>();
  const found: string[] = [];
  for (const { id, position, sender, recipient } of new Set(accepted)) {
    if (operators.has(recipient)) continue;
    const conversation = `${sender} ${recipient}`;
    const before = last.get(conversation) ?? 0;
    if (position < before) found.push(id);
    last.set(conversation, Math.max(before, position));
  }
  return found;
}

/** The two numbers name a conversation here, so that this holds whatever the row says of itself. */
function unanswered(inbound: Row[], outbound: Row[]): string[] {
  const lastReply = new Map<string, number>();
  for (const { kind, sender, recipient, position } of outbound)
    if (kind === "reply") lastReply.set(`${sender} ${recipient}`, position);
  return inbound
    .filter(({ sender, recipient, position }) => {
      return (lastReply.get(`${recipient} ${sender}`) ?? 0) < position;
    })
    .map(({ twilioSid, id }) => twilioSid ?? id);
}
