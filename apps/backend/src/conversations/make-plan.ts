import { newId } from "@jobrun/db";
import { prepareSmsText } from "@jobrun/messaging";
import type { AssistantReply } from "../assistant/assistant.ts";
import { raiseUrgency } from "../assistant/urgency.ts";
import { clip, longestFitting } from "../jobs/fit-text.ts";
import { urgentJobText } from "../jobs/urgent-job.ts";
import { outboxText, type OutboxText } from "../outbound/enqueue.ts";
import type { MessageKind } from "../outbound/message-kinds.ts";
import { fill } from "../texts/fill.ts";
import { operatorTexts } from "../texts/operator-texts.ts";
import type { JobRecord, NewOutbound, NewText, Plan } from "./commit.ts";
import type { Decision } from "./decide.ts";
import type { Address, View } from "./prepare.ts";

interface Turn {
  view: View;
  decision: Decision;
  /** The assistant's answer, when the decision asked for one. */
  reply: AssistantReply | null;
  /** Texts of this turn that are not stored yet. */
  fresh: NewText[];
  address: Address;
  texted: string;
  requestId: string;
}

/** Pure: what a turn will write. */
export function makePlan(turn: Turn): Plan & { violation: boolean } {
  const { view, decision, reply } = turn;
  const job = reply === null ? null : nextJob(view, reply);
  const { customer } = turn.address;
  const outbound: NewOutbound[] = [];
  const say = (kind: MessageKind, text: string | null) => {
    if (text !== null) outbound.push({ ...outboxText(kind, text, customer), inConversation: true });
  };
  say("reply", answerOf(decision, reply));
  say("opt_out_confirmation", decision.confirmation);
  const becomesUrgent = job?.status === "URGENT" && view.openJob?.status !== "URGENT";
  if (goesToOperator(turn) && !becomesUrgent)
    outbound.push({
      ...outboxText("forwarded", forwardedText(turn), view.tenant.operatorPhone),
      inConversation: false,
    });
  return {
    view,
    address: turn.address,
    texted: turn.texted,
    requestId: turn.requestId,
    inbound: turn.fresh,
    answered: view.deferred.map((text) => text.id),
    status: "RECEIVED",
    outbound,
    job,
    urgentAlert: becomesUrgent ? (number) => urgentAlert(turn, job, number) : null,
    consent: decision.consent,
    violation: decision.kind === "fixed" && decision.violation,
  };
}

/** What a customer adds to a job the operator knows of: its address, a question, that it is off. */
function goesToOperator({ view, decision }: Turn): boolean {
  if (decision.kind === "fixed") return decision.forward;
  return view.openJob?.status === "URGENT" || view.openJob?.status === "ACCEPTED";
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
  const { view, address } = turn;
  const { locale } = view.tenant;
  const words = clip(prepareSmsText(customersWords(turn)).text, Infinity);
  const number = view.openJob?.number;
  const hint = number === undefined ? "" : fill(operatorTexts.forwardedHint[locale], { number });
  return longestFitting(words.length, (count) =>
    fill(operatorTexts.forwarded[locale], {
      phone: address.customer,
      words: clip(words, count),
      hint,
    }),
  );
}

function customersWords({ view, fresh }: Turn): string {
  return [...view.deferred, ...fresh].map((text) => text.body).join(" / ");
}

function urgentAlert(turn: Turn, job: JobRecord, number: number): OutboxText {
  const { view, address } = turn;
  const wording = urgentJobText(view.tenant.locale, {
    number,
    words: customersWords(turn),
    place: job.location,
    time: job.requestedTime,
    phone: address.customer,
  });
  return outboxText("urgent_alert", wording, view.tenant.operatorPhone);
}
