import { newId, type Database, type Tx } from "@jobrun/db";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import type { InboundResult } from "../conversations/handle-inbound.ts";
import type { OnboardingText } from "../conversations/take-text.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Timers } from "../timers/timers.ts";
import { advance, type Move } from "./advance.ts";
import { giveNumber } from "./give-number.ts";
import { beginSignUp, saveSignUp, watchState, type SignUp } from "./sign-up.ts";
import { announceTold, tell, type Told } from "./tell.ts";
import { sentences, wording } from "./wording.ts";

export interface OnboardingDeps {
  db: Database;
  timers: Timers;
  events: Events;
  metrics: Metrics;
  alerts: Pick<AlertService, "raise" | "raiseIn" | "resolve" | "recordTransactionFailure">;
  logger: winston.Logger;
  /** E.164, the gateway's own senders: never given to a tenant */
  excluded: readonly string[];
  /** Called after a commit that queued texts */
  wakeOutbox: () => void;
}

/** What one text did. */
interface Taken {
  before: SignUp;
  after: SignUp;
  told: Told | null;
}

const E164 = /^\+[1-9]\d{6,14}$/;

/**
 * Takes one text of somebody who signs up: stored, answered and followed by its consequences in one
 * transaction, or nothing is. Never throws.
 */
export async function handleOnboardingText(
  deps: OnboardingDeps,
  text: OnboardingText,
): Promise<InboundResult> {
  const trace = { requestId: text.requestId, providerMessageId: text.providerMessageId };
  try {
    const taken = await deps.db.serviceTransaction((tx) => take(deps, tx, text));
    if (taken === "duplicate") return { kind: "duplicate" };
    if (taken !== "stored") announce(deps, taken, text.requestId);
    return { kind: "committed" };
  } catch (error) {
    deps.metrics.transactionsFailed.inc();
    deps.alerts.recordTransactionFailure();
    const errorClass = error instanceof Error ? error.name : "unknown";
    deps.events.emit("transaction_failed", { ...trace, errorClass });
    deps.logger.error("sign-up text not taken", { ...trace, error });
    return { kind: "failed" };
  }
}

async function take(
  deps: OnboardingDeps,
  tx: Tx,
  text: OnboardingText,
): Promise<Taken | "stored" | "duplicate"> {
  // A short code or a name cannot sign up, and an answer to a machine only makes it answer again.
  if (!E164.test(text.from)) return (await store(tx, text, null)) ? "stored" : "duplicate";

  const before = await beginSignUp(tx, text.from, text.texted);
  if (!(await store(tx, text, before.tenantId))) return "duplicate";

  const move = await refuseOurNumbers(tx, before, advance(before, text.body));
  const { notes, asks, ...changes } = move;
  const moved = { ...before, ...changes };
  const after = isConfirmed(before, moved) ? await giveNumber(tx, deps, moved) : moved;
  await saveSignUp(tx, after);
  if (after.state !== before.state || beginsToHear(before, after))
    await watchState(tx, deps.timers, after);
  const words = asks ? wording(after, notes) : sentences(after, notes);
  if (words === "") return { before, after, told: null };
  return { before, after, told: await tell(tx, after, words, text.requestId, text.channel) };
}

/** @returns false when it was stored before */
async function store(tx: Tx, text: OnboardingText, tenantId: string | null): Promise<boolean> {
  const stored = await tx.$executeRaw`
    INSERT INTO "Message" ("id", "clientId", "direction", "channel", "kind", "sender", "recipient", "body", "media",
      "status", "requestId", "providerMessageId")
    VALUES (${newId()}::uuid, ${tenantId}::uuid, 'INBOUND', ${text.channel}, 'onboarding_text', ${text.from},
      ${text.texted}, ${text.body}, ${JSON.stringify(text.media)}::jsonb, 'RECEIVED', ${text.requestId},
      ${text.providerMessageId})
    ON CONFLICT DO NOTHING`;
  return stored === 1;
}

/** Alerts sent to a number of ours would come back as texts of a customer, and be answered. */
async function refuseOurNumbers(tx: Tx, before: SignUp, move: Move): Promise<Move> {
  const { alertPhone } = move.answers;
  if (alertPhone === undefined || alertPhone === before.answers.alertPhone) return move;
  const ours = await tx.twilioNumber.count({ where: { phoneNumber: alertPhone } });
  if (ours === 0) return move;
  return { ...move, state: before.state, answers: before.answers, notes: ["needPhone"] };
}

function isConfirmed(before: SignUp, after: SignUp): boolean {
  return before.state === "CONFIRM" && after.state === "WAITING_FOR_NUMBER";
}

/** A new person, or one who is back after a STOP. */
function beginsToHear(before: SignUp, after: SignUp): boolean {
  return !after.stopped && (before.isNew || before.stopped);
}

function announce(deps: OnboardingDeps, taken: Taken, requestId: string): void {
  const { before, after, told } = taken;
  if (told !== null) announceTold(deps, told, requestId);
  if (before.founderTold && after.state !== before.state)
    void deps.alerts.resolve("ONBOARDING_STUCK", after.id);
}
