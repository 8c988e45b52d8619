import { newId, type Database } from "@jobrun/db";
import type winston from "winston";
import { enqueue, outboxText } from "../outbound/enqueue.ts";
import type { Events } from "../telemetry/events.ts";
import { customerTexts } from "../texts/customer-texts.ts";
import { fill, type Locale } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { commit, WorldChanged, type NewOutbound, type NewText } from "./commit.ts";
import { decide } from "./decide.ts";
import type { Inbound } from "./handle-inbound.ts";
import { prepare, type Address } from "./prepare.ts";

/** Texts of one customer that are to be stored without an answer. */
export interface TextsToDefer {
  address: Address;
  /** The number of ours that was texted, E.164 */
  texted: string;
  /** Oldest first, at least one */
  texts: Omit<NewText, "id">[];
  /** When this must have ended, milliseconds since the epoch */
  deadline: number;
}

/**
 * Stores texts without answering them, all or none, and queues the holding text unless one is out
 * for this conversation already or the customer wants none. An opt-out counts at once. Needs no
 * assistant.
 *
 * @returns the provider's ids of those stored now; the others were stored before
 * @throws when nothing could be stored
 */
export async function deferTexts(
  { db, events, now }: { db: Database; events: Events; now: () => number },
  { address, texted, texts, deadline }: TextsToDefer,
): Promise<string[]> {
  // In every round somebody commits, so a burst of n texts of one customer takes at most n rounds.
  while (now() < deadline) {
    const ids = texts.map((text) => text.providerMessageId);
    const view = await prepare(db, address, ids);
    const fresh = texts.filter((text) => !view.knownIds.includes(text.providerMessageId));
    const [first] = fresh;
    if (first === undefined) return [];
    const bodies = fresh.map((text) => text.body);
    const decision = decide(view, bodies, texted);
    const silent = decision.kind === "fixed" ? decision.reply === null : decision.silent;
    const holding = customerTexts.holding[view.tenant.locale];
    const outbound: NewOutbound[] = [];
    if (!silent && view.deferred.length === 0)
      outbound.push({ ...outboxText("holding", holding, address.customer), inConversation: true });
    if (decision.confirmation !== null)
      outbound.push({
        ...outboxText("opt_out_confirmation", decision.confirmation, address.customer),
        inConversation: true,
      });
    try {
      const { requestId } = first;
      const committed = await commit(db, {
        view,
        address,
        texted,
        requestId,
        inbound: fresh.map((text) => ({ ...text, id: newId() })),
        answered: [],
        status: "DEFERRED",
        outbound,
        job: null,
        urgentAlert: null,
        consent: decision.consent,
      });
      const { conversationId } = committed;
      const trace = { requestId, tenantId: address.tenantId, conversationId };
      for (const { id: messageId, kind, segments } of committed.outbound)
        events.emit("message_queued", { ...trace, messageId, kind, segments });
      return fresh.map((text) => text.providerMessageId);
    } catch (error) {
      if (!(error instanceof WorldChanged)) throw error;
    }
  }
  throw new WorldChanged("the conversation kept changing until the deadline");
}

interface DeferredDeps {
  db: Database;
  inbound: Inbound;
  events: Events;
  logger: winston.Logger;
  deadlineMs: number;
  operatorAlertMinutes: number;
  wakeOutbox: () => void;
  now: () => number;
}

interface DueConversation extends Address {
  texted: string;
  providerMessageId: string;
  requestId: string;
}

const POLL_MS = 1000;
const BATCH = 20;

/** Answers deferred messages: tries with growing waits (5 s … 5 min) for 24 hours. */
export function deferredWorker(deps: DeferredDeps): PollLoop {
  const loop = new PollLoop(async () => {
    try {
      const due = await claimDue(deps.db);
      await Promise.all(due.map((conversation) => answer(deps, conversation)));
      if ((await tellOperators(deps)) > 0) deps.wakeOutbox();
      await leaveToOperators(deps.db);
      // After an outage more may be due than one batch; what was claimed now is not due again for 5 s.
      if (due.length > 0) loop.wake();
    } catch (error) {
      deps.logger.error("deferred messages could not be worked on; trying again", { error });
    }
  }, POLL_MS);
  return loop;
}

/** Claiming sets the time of the next try, so a process that dies here delays a message and loses none. */
async function claimDue(db: Database): Promise<DueConversation[]> {
  return db.service.$queryRaw<DueConversation[]>`
    WITH due AS (
      SELECT "id" FROM "Message"
      WHERE "status" = 'DEFERRED' AND "dueAt" <= now() AND "createdAt" > now() - interval '24 hours'
      ORDER BY "dueAt" LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE "Message" m
      SET "attempts" = m."attempts" + 1, "dueAt" = now() + LEAST(interval '5 seconds' * 2 ^ LEAST(m."attempts", 6), interval '5 minutes')
      FROM due WHERE m."id" = due."id" RETURNING m.*
    )
    SELECT DISTINCT ON ("conversationId") "clientId" AS "tenantId", "channel", "sender" AS "customer",
      "recipient" AS "texted", "twilioSid" AS "providerMessageId", "requestId"
    FROM claimed ORDER BY "conversationId", "position"`;
}

async function answer(deps: DeferredDeps, due: DueConversation): Promise<void> {
  const { tenantId, channel, customer, ...rest } = due;
  await deps.inbound.answerDeferred({
    ...rest,
    address: { tenantId, channel, customer },
    deadline: deps.now() + deps.deadlineMs,
  });
}

/** After a day of tries nothing more is tried: the operator was told, and the alert about it ends. */
async function leaveToOperators(db: Database): Promise<void> {
  await db.service.$executeRaw`
    UPDATE "Message" SET "status" = 'RECEIVED'
    WHERE "status" = 'DEFERRED' AND "createdAt" <= now() - interval '24 hours' AND "operatorToldAt" IS NOT NULL`;
}

/** A text that waits too long goes to the operator as it is: the customer's own words and number. */
async function tellOperators(deps: DeferredDeps): Promise<number> {
  const queued = await deps.db.serviceTransaction(async (tx) => {
    const waiting = await tx.$queryRaw<
      {
        id: string;
        tenantId: string;
        body: string;
        customer: string;
        texted: string;
        channel: string;
        requestId: string;
        operatorPhone: string;
        locale: Locale;
      }[]
    >`
      UPDATE "Message" m SET "operatorToldAt" = now() FROM "Client" t
      WHERE m."id" IN (
          SELECT "id" FROM "Message" WHERE "status" = 'DEFERRED' AND "operatorToldAt" IS NULL
            AND "createdAt" < now() - make_interval(secs => ${deps.operatorAlertMinutes * 60})
          ORDER BY "createdAt" LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
        AND t."id" = m."clientId"
      RETURNING m."id", m."clientId" AS "tenantId", m."body", m."sender" AS "customer", m."recipient" AS "texted",
        m."channel", m."requestId", t."operatorPhone", t."locale"`;
    const told = [];
    for (const text of waiting) {
      const { customer: phone, body: words } = text;
      const wording = fill(operatorTexts.notAnswered[text.locale], { phone, words });
      const { requestId, tenantId, channel, texted: sender } = text;
      const alert = outboxText("deferred_alert", wording, text.operatorPhone);
      const messageId = await enqueue(tx, { ...alert, tenantId, channel, sender, requestId });
      const { kind, segments } = alert;
      told.push({ requestId, tenantId, messageId, kind, segments });
    }
    return told;
  });
  for (const text of queued) deps.events.emit("message_queued", text);
  return queued.length;
}
