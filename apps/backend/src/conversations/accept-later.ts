import type { Database } from "@jobrun/db";
import type { InboundMessage } from "@jobrun/messaging";
import type { AlertService } from "../alerts/alert-service.ts";
import { resolveArrival } from "../numbers/resolve-number.ts";
import { deferTexts } from "./deferred.ts";
import { storeUnrouted } from "./unrouted.ts";

export interface AcceptLaterDeps {
  db: Database;
  alerts: Pick<AlertService, "raise">;
  /** Longest that storing one person's texts may take, milliseconds */
  deadlineMs: number;
  wakeOutbox: () => void;
  wakeDeferred: () => void;
  now: () => number;
}

/** A text that is stored without being answered, and the id that its whole trace carries. */
export interface LaterText {
  message: InboundMessage;
  requestId: string;
}

export interface Accepted {
  /** `deferred`: a worker answers. `stored`: kept outside tenants. `duplicate`: nothing was new. */
  outcome: "deferred" | "stored" | "duplicate";
  /** Those of the texts that are stored by this call */
  fresh: LaterText[];
}

/**
 * Stores texts of one person to one number of ours without asking the assistant, by what the number
 * is for: the way in of everything that does not come through POST /sms.
 *
 * @param texts of one sender to one receiver, oldest first
 * @throws when they could not be stored; a tenant's are stored all together or not at all
 */
export async function acceptLater(
  deps: AcceptLaterDeps,
  texts: readonly [LaterText, ...LaterText[]],
): Promise<Accepted> {
  const { number, unknown } = await resolveAll(deps.db, texts);
  const fresh =
    number.role === "OPERATIONAL"
      ? await defer(deps, number.tenantId, unknown)
      : await keepUnrouted(deps, unknown);
  if (fresh.length === 0) return { outcome: "duplicate", fresh };
  deps.wakeOutbox();
  return { outcome: number.role === "OPERATIONAL" ? "deferred" : "stored", fresh };
}

async function resolveAll(db: Database, [first, ...rest]: readonly [LaterText, ...LaterText[]]) {
  const arrival = ({ message }: LaterText) =>
    resolveArrival(db, message.to, message.providerMessageId);
  const { number, known } = await arrival(first);
  const unknown = known ? [] : [first];
  for (const text of rest) if (!(await arrival(text)).known) unknown.push(text);
  return { number, unknown };
}

async function defer(
  deps: AcceptLaterDeps,
  tenantId: string,
  texts: LaterText[],
): Promise<LaterText[]> {
  const [first] = texts;
  if (first === undefined) return [];
  const { channel, from, to } = first.message;
  const stored = await deferTexts(
    deps.db,
    {
      address: { tenantId, channel, customer: from },
      texted: to,
      texts: texts.map(({ message: { providerMessageId, body, media }, requestId }) => ({
        providerMessageId,
        requestId,
        body,
        media,
      })),
      deadline: deps.now() + deps.deadlineMs,
    },
    deps.now,
  );
  if (stored.length > 0) deps.wakeDeferred();
  return texts.filter(({ message }) => stored.includes(message.providerMessageId));
}

async function keepUnrouted(deps: AcceptLaterDeps, texts: LaterText[]): Promise<LaterText[]> {
  const fresh = [];
  for (const text of texts) {
    if ((await storeUnrouted(deps.db, text.message, text.requestId)) === "duplicate") continue;
    void deps.alerts.raise({ type: "UNROUTED_MESSAGE", requestId: text.requestId });
    fresh.push(text);
  }
  return fresh;
}
