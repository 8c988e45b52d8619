import { newId } from "@jobrun/db";
import { prepareSmsText, type Channel } from "@jobrun/messaging";
import type { AssistantReply } from "../assistant/assistant.ts";
import { raiseUrgency } from "../assistant/urgency.ts";
import { clip, longestFitting } from "../jobs/fit-text.ts";
import { reachedAt } from "../jobs/reached-at.ts";
import { OPERATOR_CHANNEL } from "../jobs/sender-of.ts";
import { urgentJobText } from "../jobs/urgent-job.ts";
import { outboxText, type OutboxText } from "../outbound/enqueue.ts";
import type { MessageKind } from "../outbound/message-kinds.ts";
import { fill } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import type { JobRecord, NewOutbound, NewText, Plan } from "./plan.ts";
import type { LimitsChange } from "../limits/usage.ts";
import { isKnownToOperator, type Decision } from "./decide.ts";
import type { Address, StoredText, View } from "./prepare.ts";

interface Turn {
  view: View;
  decision: Decision;
  /** The assistant's answer, when the decision asked for one. */
  reply: AssistantReply | null;
  limits: LimitsChange;
  /** Texts of this turn that are not stored yet. */
  fresh: NewText[];
  address: Address;
  texted: string;
  requestId: string;
  channel: Channel;
  /** Texts the operator when the tenant has no number for it */
  defaultSender: string | undefined;
}

/** Pure: what a turn will write. */
export function makePlan(turn: Turn): Plan & { violation: boolean } {
  const { view, decision, reply } = turn;
  const job = reply === null ? null : nextJob(view, reply);
  const { customer } = turn.address;
  const outbound: NewOutbound[] = [];
  const say = (kind: MessageKind, text: string | null) => {
    if (text !== null)
      outbound.push({ ...outboxText(kind, text, customer, turn.channel.fitText), to: "customer" });
  };
  const refused = decision.kind === "fixed" && decision.refusal !== null;
  say(refused ? "quota_notice" : "reply", answerOf(decision, reply));
  say("rate_notice", decision.overRate.notice);
  say("opt_out_confirmation", decision.confirmation);
  const becomesUrgent = job?.status === "URGENT" && view.openJob?.status !== "URGENT";
  if (goesToOperator(turn) && !becomesUrgent)
    outbound.push({
      ...outboxText("forwarded", forwardedText(turn), view.tenant.operatorPhone),
      to: "operator",
    });
  return {
    view,
    address: turn.address,
    texted: turn.texted,
    operatorSender: operatorSender(view, turn.defaultSender),
    requestId: turn.requestId,
    inbound: turn.fresh,
    answered: view.deferred.map((text) => text.id),
    status: "RECEIVED",
    outbound,
    job,
    urgentAlert: becomesUrgent ? (number) => urgentAlert(turn, job, number) : null,
    consent: decision.consent,
    fetchesMedia: turn.channel.fetchMedia !== undefined,
    limits: turn.limits,
    violation: decision.kind === "fixed" && decision.violation,
  };
}

export function operatorSender(view: View, defaultSender: string | undefined) {
  return { channel: OPERATOR_CHANNEL, number: view.numbers.operator ?? defaultSender ?? "" };
}

/** What a customer adds to a job the operator knows of: its address, a question, that it is off. */
function goesToOperator({ view, decision }: Turn): boolean {
  if (decision.kind === "fixed") return decision.forward;
  return isKnownToOperator(view.openJob);
}

function answerOf(decision: Decision, reply: AssistantReply | null): string | null {
  if (decision.kind === "fixed") return decision.reply;
  return decision.silent ? null : (reply?.text ?? null);
}

/** Later messages fill in what earlier ones left open; urgency only rises while a job is open. */
function nextJob(view: View, reply: AssistantReply): JobRecord | null {
  const open = view.openJob;
  const urgency = raiseUrgency(open?.urgency ?? "unknown", reply.urgency);
  const draft = reply.job ?? open;
  if (draft === null) return null;
  const job = {
    id: open?.id ?? newId(),
    number: open?.number ?? null,
    summary: draft.summary,
    type: draft.type ?? open?.type ?? null,
    location: draft.location ?? open?.location ?? null,
    requestedTime: draft.requestedTime ?? open?.requestedTime ?? null,
    customerName: draft.customerName ?? open?.customerName ?? null,
    urgency,
  };
  // The operator has taken it and needs no second alert about what they know; an emergency is news.
  const isWorse = urgency === "emergency" && open?.urgency !== "emergency";
  if (open?.status === "ACCEPTED" && !isWorse) return { ...job, status: "ACCEPTED" };
  const complete = job.location !== null && job.requestedTime !== null;
  return { ...job, status: urgency === "emergency" ? "URGENT" : complete ? "READY" : "NEEDS_INFO" };
}

/** Within 3 segments: the words are cut, never how to answer them. */
function forwardedText(turn: Turn): string {
  const { view } = turn;
  const { locale } = view.tenant;
  const words = clip(prepareSmsText(customersWords(turn)).text, Infinity);
  const number = view.openJob?.number;
  const hint = number === undefined ? "" : fill(operatorTexts.forwardedHint[locale], { number });
  return longestFitting(words.length, (count) =>
    fill(operatorTexts.forwarded[locale], {
      phone: phoneOf(turn),
      words: clip(words, count),
      hint,
    }),
  );
}

function phoneOf({ view, address }: Turn): string {
  const phone = address.ids === undefined ? address.customer : address.ids.phone;
  return reachedAt({
    phone: phone ?? view.customer?.phone ?? null,
    locale: view.tenant.locale,
  });
}

function customersWords({ view, fresh }: Turn): string {
  return [...view.deferred, ...fresh].map(wordsOf).join(" / ");
}

function urgentAlert(turn: Turn, job: JobRecord, number: number): OutboxText {
  const { view } = turn;
  const wording = urgentJobText(view.tenant.locale, {
    number,
    words: customersWords(turn),
    place: job.location,
    time: job.requestedTime,
    phone: phoneOf(turn),
  });
  return outboxText("urgent_alert", wording, view.tenant.operatorPhone);
}

/** A picture without words is at least said to be one. */
function wordsOf({ body, media: [first] }: StoredText): string {
  return body === "" && first !== undefined ? `[${first.contentType}]` : body;
}
