import { newId, type Database, type Tx } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { AssistantError, type Assistant } from "../assistant/assistant.ts";
import { limitsOutcome } from "../limits/announce.ts";
import { limitsOf } from "../limits/limits-of.ts";
import { QuotaGate, type Round } from "../limits/quota-gate.ts";
import { limitsChange } from "../limits/usage.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { announce } from "./announce.ts";
import { commit, type UrgentJob } from "./commit.ts";
import type { NewText } from "./plan.ts";
import { decide } from "./decide.ts";
import { Lanes, type Turn } from "./lanes.ts";
import { makePlan } from "./make-plan.ts";
import { prepare, type Address } from "./prepare.ts";
import { think } from "./think.ts";
import { WorldChanged } from "./world-changed.ts";

export interface InboundText extends Omit<NewText, "id"> {
  address: Address;
  /** What the provider calls the number of ours that was texted */
  texted: string;
  /** When this try must have ended, milliseconds since the epoch */
  deadline: number;
}

/** A conversation with deferred texts: the newest of them, and by when it should be answered. */
export type DeferredTurn = Pick<
  InboundText,
  "address" | "texted" | "providerMessageId" | "requestId" | "deadline"
>;

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
  channels: ReadonlyMap<ChannelName, Channel>;
  /** Texts operators whose tenant has no number of its own for it */
  defaultSender: string | undefined;
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
type LaneItem = DeferredTurn & { text: NewText | null };

export interface Inbound {
  /** Stores and answers one text: prepare, decide, think, commit. Never throws. */
  handle(text: InboundText): Promise<InboundResult>;
  /** Answers what is deferred in a conversation. Never throws. */
  answerDeferred(conversation: DeferredTurn): Promise<InboundResult>;
}

/** More means that another process commits to the conversation faster than we read it. */
const MAX_ROUNDS = 5;

/** Later it would show somebody writing who has written. */
const SHOW_READING_MS = 5000;

/** Kept free at the end of the deadline for the commit. */
const COMMIT_RESERVE_MS = 400;

export function createInbound(deps: InboundDeps): Inbound {
  const gate = new QuotaGate();
  const lanes = new Lanes<LaneItem, InboundResult>((turn) => takeTurn(deps, gate, turn));

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
    handle: ({ address, texted, deadline, ...text }) => {
      const { providerMessageId, requestId } = text;
      return queue({
        address,
        texted,
        deadline,
        providerMessageId,
        requestId,
        text: { id: newId(), ...text },
      });
    },
    answerDeferred: (conversation) => queue({ ...conversation, text: null }),
  };
}

async function takeTurn(
  deps: InboundDeps,
  gate: QuotaGate,
  turn: Turn<LaneItem, InboundResult>,
): Promise<void> {
  const spent = { tokens: 0 };
  try {
    for (let changes = 0; changes < MAX_ROUNDS;) {
      // What arrived while the last round was refused belongs to what the customer wants to say now.
      turn.absorb();
      const outcome = await takeRound(deps, gate, turn, spent);
      if (outcome === "done") return;
      if (outcome === "changed") changes += 1;
    }
    throw new WorldChanged(`the conversation changed in each of ${MAX_ROUNDS} rounds`);
  } catch (error) {
    reportFailure(deps, turn, error);
    failTurn(deps, turn, error);
  }
}

/**
 * `changed`: the world, so the plan must be made again. `waited`: until the assistant had answered
 * others of the tenant, so what is left of the quota must be read again.
 */
type RoundOutcome = "done" | "changed" | "waited";

async function takeRound(
  deps: InboundDeps,
  gate: QuotaGate,
  turn: Turn<LaneItem, InboundResult>,
  spent: { tokens: number },
): Promise<RoundOutcome> {
  const open = turn.entries.filter((entry) => !entry.settled);
  const first = open[0]?.item;
  if (first === undefined) return "done";
  const round = gate.open(first.address.tenantId);
  try {
    return await planAndCommit(deps, round, open, first, spent);
  } finally {
    round.close();
  }
}

/** One prepare → decide → think → commit. */
async function planAndCommit(
  deps: InboundDeps,
  round: Round,
  open: Turn<LaneItem, InboundResult>["entries"],
  first: LaneItem,
  spent: { tokens: number },
): Promise<RoundOutcome> {
  const deadline = Math.min(...open.map((entry) => entry.item.deadline));
  const texts = open.flatMap((entry) => entry.item.text ?? []);
  const view = await prepare(
    deps.db,
    first.address,
    first.texted,
    texts.map((text) => text.providerMessageId),
  );

  const known = new Set(view.knownIds);
  for (const entry of open)
    if (entry.item.text !== null && known.has(entry.item.text.providerMessageId))
      entry.settle({ kind: "duplicate" });
  const fresh = texts.filter((text) => !known.has(text.providerMessageId));
  const said = [...view.deferred, ...fresh];
  if (!isNotEmpty(said)) {
    for (const entry of open) entry.settle({ kind: "duplicate" });
    return "done";
  }

  // Whom the trace of this turn is about: nothing follows a duplicate.
  const speaker = said.find(({ requestId }) => requestId === first.requestId) ?? said[0];
  const channel = channelOf(deps, first.address);
  const limits = limitsOf(view, said);
  const decision = decide(view, said, channel, limits);
  const signal = AbortSignal.timeout(Math.max(1, deadline - COMMIT_RESERVE_MS - deps.now()));
  let reply = null;
  if (decision.kind === "assistant") {
    const { quota } = limits;
    const isPaid = decision.counted && quota.kind === "allowed";
    if (isPaid && !(await round.enter(quota.remaining, signal))) return "waited";
    if (!decision.silent) showReading(channel, open);
    const asked = said.filter((_, place) => decision.places.includes(place));
    const { requestId, providerMessageId } = asked.includes(speaker)
      ? speaker
      : (asked[0] ?? speaker);
    const tenantId = view.tenant.id;
    const conversationId = view.conversation?.id;
    const trace = { requestId, tenantId, conversationId, providerMessageId };
    const { scripted } = decision;
    const thought = await think(deps, { view, said: asked, scripted, trace, signal });
    spent.tokens += thought.tokens;
    reply = thought.reply;
  }
  const plan = makePlan({
    view,
    decision,
    reply,
    limits: limitsChange(view, decision, limits, spent.tokens),
    fresh,
    address: first.address,
    texted: first.texted,
    requestId: speaker.requestId,
    channel,
    defaultSender: deps.defaultSender,
  });

  let committed;
  try {
    committed = await commit(deps.db, plan, deps.onUrgentJob);
  } catch (error) {
    if (error instanceof WorldChanged) return "changed";
    throw error;
  }

  for (const entry of open) if (!entry.settled) entry.settle({ kind: "committed" });
  if (committed.outbound.length > 0) deps.wakeOutbox();
  announce(deps, plan, committed, limitsOutcome(decision, limits, said), said);
  return "done";
}

/** The customer sees that somebody is at it. Nobody waits for that, and it cannot fail. */
function showReading(channel: Channel, open: Turn<LaneItem, InboundResult>["entries"]): void {
  const newest = open.at(-1)?.item;
  if (newest === undefined) return;
  const { providerMessageId, texted: to } = newest;
  void channel.showReading?.({ providerMessageId, to }, AbortSignal.timeout(SHOW_READING_MS));
}

function isNotEmpty<T>(list: T[]): list is [T, ...T[]] {
  return list.length > 0;
}

/** @throws when nothing carries the channel any more: a person must look */
function channelOf({ channels }: InboundDeps, { channel: name }: Address): Channel {
  const channel = channels.get(name);
  if (channel === undefined) throw new Error(`no provider carries ${name}`);
  return channel;
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
