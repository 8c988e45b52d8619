import { newId, type Database, type Tx } from "@jobrun/db";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { AssistantError, type Assistant } from "../assistant/assistant.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { commit, WorldChanged, type NewText, type UrgentJob } from "./commit.ts";
import { decide } from "./decide.ts";
import { Lanes, type Turn } from "./lanes.ts";
import { makePlan } from "./make-plan.ts";
import { prepare, type Address } from "./prepare.ts";
import { think } from "./think.ts";

export interface InboundText {
  address: Address;
  /** The number of ours that was texted, E.164 */
  texted: string;
  providerMessageId: string;
  requestId: string;
  body: string;
  media: { url: string; contentType: string }[];
  /** When this try must have ended, milliseconds since the epoch */
  deadline: number;
}

/** What became of an inbound text, and with it what its provider is told. */
export type InboundResult =
  /** 200: everything is written, once, by this turn. */
  | { kind: "committed" }
  /** 200: it was written before. Nothing was done now. */
  | { kind: "duplicate" }
  /** 500: nothing was written. The provider tries again. */
  | { kind: "failed" };

export interface InboundDeps {
  db: Database;
  assistant: Assistant;
  scripted: Assistant;
  /** `scripted`: answer by script when the assistant fails; `retry`: write nothing */
  onAssistantFailure: "retry" | "scripted";
  events: Events;
  metrics: Metrics;
  alerts: AlertService;
  logger: winston.Logger;
  /** Sets the timers of a job that nobody answers, in the transaction that made it urgent */
  onUrgentJob: (tx: Tx, job: UrgentJob) => Promise<void>;
  /** Called after a commit that queued texts */
  wakeOutbox: () => void;
  now: () => number;
}

/** A lane takes new texts, and knocks of the worker that only say: answer what is deferred here. */
type LaneItem = Omit<InboundText, "body" | "media"> & { text: NewText | null };

export interface Inbound {
  /** Stores and answers one text: prepare, decide, think, commit. Never throws. */
  handle(text: InboundText): Promise<InboundResult>;
  /** Answers what is deferred in a conversation. Never throws. */
  answerDeferred(conversation: Omit<InboundText, "body" | "media">): Promise<InboundResult>;
}

/** More means that another process commits to the conversation faster than we read it. */
const MAX_ROUNDS = 5;

/** Kept free at the end of the deadline for the commit. */
const COMMIT_RESERVE_MS = 400;

export function createInbound(deps: InboundDeps): Inbound {
  const lanes = new Lanes<LaneItem, InboundResult>((turn) => takeTurn(deps, turn));

  async function queue(item: LaneItem): Promise<InboundResult> {
    const { tenantId, channel, customer } = item.address;
    const { result, joined } = await lanes.join(
      `${tenantId} ${channel} ${customer}`,
      item.providerMessageId,
      item,
    );
    return joined && result.kind === "committed" ? { kind: "duplicate" } : result;
  }

  return {
    handle: ({ body, media, ...rest }) => {
      const { providerMessageId, requestId } = rest;
      return queue({ ...rest, text: { id: newId(), body, media, providerMessageId, requestId } });
    },
    answerDeferred: (conversation) => queue({ ...conversation, text: null }),
  };
}

async function takeTurn(deps: InboundDeps, turn: Turn<LaneItem, InboundResult>): Promise<void> {
  try {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      // What arrived while the last round was refused belongs to what the customer wants to say now.
      turn.absorb();
      if (await takeRound(deps, turn)) return;
    }
    throw new WorldChanged(`the conversation changed in each of ${MAX_ROUNDS} rounds`);
  } catch (error) {
    reportFailure(deps, turn, error);
    failTurn(deps, turn, error);
  }
}

/** One prepare → decide → think → commit. False when the world changed and the plan must be made again. */
async function takeRound(deps: InboundDeps, turn: Turn<LaneItem, InboundResult>): Promise<boolean> {
  const open = turn.entries.filter((entry) => !entry.settled);
  const first = open[0]?.item;
  if (first === undefined) return true;
  const deadline = Math.min(...open.map((entry) => entry.item.deadline));

  const texts = open.flatMap((entry) => entry.item.text ?? []);
  const view = await prepare(
    deps.db,
    first.address,
    texts.map((text) => text.providerMessageId),
  );

  const known = new Set(view.knownIds);
  for (const entry of open)
    if (entry.item.text !== null && known.has(entry.item.text.providerMessageId))
      entry.settle({ kind: "duplicate" });
  const fresh = texts.filter((text) => !known.has(text.providerMessageId));
  const said = [...view.deferred, ...fresh];
  if (said.length === 0) {
    for (const entry of open) entry.settle({ kind: "duplicate" });
    return true;
  }

  const decision = decide(
    view,
    said.map((text) => text.body),
    first.texted,
  );
  const trace = {
    requestId: first.requestId,
    tenantId: view.tenant.id,
    conversationId: view.conversation?.id,
  };
  const signal = AbortSignal.timeout(Math.max(1, deadline - COMMIT_RESERVE_MS - deps.now()));
  const reply =
    decision.kind === "assistant"
      ? await think(deps, { view, said, scripted: decision.scripted, trace, signal })
      : null;
  const plan = makePlan({
    view,
    decision,
    reply,
    fresh,
    address: first.address,
    texted: first.texted,
    requestId: first.requestId,
  });

  let committed;
  try {
    committed = await commit(deps.db, plan, deps.onUrgentJob);
  } catch (error) {
    if (error instanceof WorldChanged) return false;
    throw error;
  }

  for (const entry of open) if (!entry.settled) entry.settle({ kind: "committed" });
  if (committed.outbound.length > 0) deps.wakeOutbox();
  announce(deps, plan, committed);
  return true;
}

function announce(
  deps: InboundDeps,
  plan: ReturnType<typeof makePlan>,
  committed: Awaited<ReturnType<typeof commit>>,
): void {
  const trace = {
    requestId: plan.requestId,
    tenantId: plan.address.tenantId,
    conversationId: committed.conversationId,
  };
  if (plan.job !== null)
    deps.events.emit("job_upserted", {
      ...trace,
      jobId: plan.job.id,
      status: plan.job.status,
      urgency: plan.job.urgency,
    });
  for (const { id, kind, segments } of committed.outbound) {
    deps.events.emit("message_queued", { ...trace, messageId: id, kind, segments });
    if (kind === "urgent_alert" && plan.job !== null)
      deps.events.emit("urgent_job_alerted", { ...trace, jobId: plan.job.id, messageId: id });
  }
  if (plan.consent !== null)
    deps.events.emit(plan.consent.optedOut ? "opt_out_recorded" : "opt_in_recorded", {
      ...trace,
      keyword: plan.consent.keyword,
    });
  if (plan.violation)
    void deps.alerts.raise({
      type: "INVARIANT_VIOLATION",
      resource: "conversation-mode",
      requestId: plan.requestId,
    });
}

/** A webhook gets a 500 and failed. A knock of the worker wrote nothing either, but its texts are stored and get another try. */
function reportFailure(
  deps: InboundDeps,
  turn: Turn<LaneItem, InboundResult>,
  error: unknown,
): void {
  const errorClass =
    error instanceof AssistantError
      ? error.errorClass
      : error instanceof Error
        ? error.name
        : "unknown";
  const failed = turn.entries.filter((entry) => !entry.settled).map(({ item }) => item);
  if (failed.some(({ text }) => text !== null)) {
    deps.metrics.transactionsFailed.inc();
    deps.alerts.recordTransactionFailure();
  }
  for (const { requestId, address, providerMessageId, text } of failed) {
    const trace = { requestId, tenantId: address.tenantId, providerMessageId, errorClass };
    if (text !== null) deps.events.emit("transaction_failed", trace);
    else deps.logger.warn("deferred message not answered; it gets another try", trace);
  }
  if (!(error instanceof AssistantError)) deps.logger.error("turn failed", { error });
}

/** Nothing was written. Those whose time is not up get another turn when the deadline of a neighbour ended this one. */
function failTurn(deps: InboundDeps, turn: Turn<LaneItem, InboundResult>, error: unknown): void {
  const timedOut = error instanceof AssistantError && error.errorClass === "timeout";
  const open = turn.entries.filter((entry) => !entry.settled);
  const earliest = Math.min(...open.map((entry) => entry.item.deadline));
  const soon = Math.max(earliest, deps.now() + COMMIT_RESERVE_MS);
  for (const entry of open)
    if (!timedOut || entry.item.deadline <= soon) entry.settle({ kind: "failed" });
}
