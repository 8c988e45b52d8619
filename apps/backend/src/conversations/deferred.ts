import { newId, type Database } from "@jobrun/db";
import type winston from "winston";
import type { Events } from "../telemetry/events.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { commit, WorldChanged } from "./commit.ts";
import { customerTexts, type Locale } from "./customer-texts.ts";
import { decide } from "./decide.ts";
import type { Inbound, InboundText } from "./handle-inbound.ts";
import { outboundText } from "./make-plan.ts";
import { prepare, type Address } from "./prepare.ts";

/**
 * Stores a text without answering it, and queues the holding text unless one is out for this
 * conversation already or the customer wants none. Needs no assistant.
 *
 * @returns what the route tells the provider: stored now, or stored before
 * @throws when nothing could be stored
 */
export async function deferInbound(
  db: Database,
  text: InboundText,
  now: () => number,
): Promise<"deferred" | "duplicate"> {
  // In every round somebody commits, so a burst of n texts of one customer takes at most n rounds.
  while (now() < text.deadline) {
    const view = await prepare(db, text.address, [text.providerMessageId]);
    if (view.knownIds.length > 0) return "duplicate";
    const decision = decide(view, [text.body], text.texted);
    const silent = decision.kind === "fixed" && decision.reply === null;
    const holding = customerTexts.holding[view.tenant.locale];
    try {
      await commit(db, {
        view,
        address: text.address,
        texted: text.texted,
        requestId: text.requestId,
        inbound: [{ ...text, id: newId() }],
        answered: [],
        status: "DEFERRED",
        outbound:
          silent || view.deferred.length > 0
            ? []
            : [outboundText("holding", holding, text.address.customer, true)],
        job: null,
        consent: null,
      });
      return "deferred";
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
  return new PollLoop(async () => {
    try {
      const due = await claimDue(deps.db);
      await Promise.all(due.map((conversation) => answer(deps, conversation)));
      if ((await tellOperators(deps)) > 0) deps.wakeOutbox();
    } catch (error) {
      deps.logger.error("deferred messages could not be worked on; trying again", { error });
    }
  }, POLL_MS);
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
      SET "attempts" = m."attempts" + 1, "dueAt" = now() + LEAST(interval '5 seconds' * 2 ^ m."attempts", interval '5 minutes')
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

/** A text that waits too long goes to the operator as it is: the customer's own words and number. */
async function tellOperators(deps: DeferredDeps): Promise<number> {
  return deps.db.serviceTransaction(async (tx) => {
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
          LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
        AND t."id" = m."clientId"
      RETURNING m."id", m."clientId" AS "tenantId", m."body", m."sender" AS "customer", m."recipient" AS "texted",
        m."channel", m."requestId", t."operatorPhone", t."locale"`;
    for (const text of waiting) {
      const wording =
        text.locale === "fr"
          ? `Sans réponse : ${text.customer} a écrit « ${text.body} ». Merci de répondre directement.`
          : `Not answered yet: ${text.customer} wrote "${text.body}". Please reply to them directly.`;
      const { body, segments } = outboundText("deferred_alert", wording, text.operatorPhone, false);
      await tx.$executeRaw`
        INSERT INTO "Message" ("id", "clientId", "direction", "channel", "kind", "sender", "recipient", "body", "segments", "status", "requestId")
        VALUES (${newId()}::uuid, ${text.tenantId}::uuid, 'OUTBOUND', ${text.channel}, 'deferred_alert', ${text.texted},
          ${text.operatorPhone}, ${body}, ${segments}, 'QUEUED', ${text.requestId})`;
    }
    return waiting.length;
  });
}
