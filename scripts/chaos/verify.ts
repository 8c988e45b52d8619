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
  body: string;
  status: string;
  providerMessageId: string | null;
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
    `SELECT "id", "position"::int, "direction", "kind", "sender", "recipient", "body", "status", "providerMessageId"
     FROM "Message" ORDER BY "position"`,
  );
  const outbound = rows.filter(({ direction }) => direction === "OUTBOUND");
  const inbound = rows.filter(({ direction }) => direction === "INBOUND");
  const byId = new Map(outbound.map((row) => [row.id, row]));
  const named = new Map(accepted.map((text) => [text.sid, text]));
  const intended = (text: SentMessage) => byId.get(ourId(text.statusCallback));
  const acceptances = Map.groupBy(accepted, (text) => likenessOf(intended(text)));
  const meant = Map.groupBy(outbound, likenessOf);
  const stored = Map.groupBy(inbound, ({ providerMessageId }) => providerMessageId ?? "");
  const ids = (some: Row[]) => some.map(({ id }) => id);

  return {
    lost: [...meant].flatMap(([likeness, texts]) =>
      ids(texts.slice(acceptances.get(likeness)?.length ?? 0)),
    ),
    doubled: [...meant].flatMap(([likeness, [text, ...more]]) =>
      text !== undefined && (acceptances.get(likeness)?.length ?? 0) > more.length + 1
        ? [text.id]
        : [],
    ),
    "given up": ids(outbound.filter(({ status }) => status === "FAILED" || status === "DEAD")),
    unsettled: ids(rows.filter(({ status }) => UNSETTLED.has(status))),
    order: overtakers(
      accepted.flatMap(({ statusCallback }) => byId.get(ourId(statusCallback)) ?? []),
      operators,
    ),
    misnamed: ids(
      outbound.filter((row) => {
        if (row.providerMessageId === null) return false;
        const acceptance = named.get(row.providerMessageId);
        return acceptance === undefined || likenessOf(intended(acceptance)) !== likenessOf(row);
      }),
    ),
    stray: accepted
      .filter(({ statusCallback }) => !byId.has(ourId(statusCallback)))
      .map(({ sid }) => sid),
    unheard: sids.filter((sid) => stored.get(sid)?.length !== 1),
    unanswered: unanswered(inbound, outbound),
  };
}

/**
 * Texts nobody can tell apart: the same words between the same numbers, in no conversation. What proves
 * one of them in the provider's log proves any of them; that as many left as were meant to is what counts.
 */
function likenessOf(row: Row | undefined): string {
  if (row === undefined) return "";
  return row.kind === "reply" ? row.id : `${row.sender} ${row.recipient} ${row.body}`;
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
    .map(({ providerMessageId, id }) => providerMessageId ?? id);
}
