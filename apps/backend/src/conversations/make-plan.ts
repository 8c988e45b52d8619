import { newId } from "@jobrun/db";
import type { AssistantReply } from "../assistant/assistant.ts";
import { raiseUrgency } from "../assistant/urgency.ts";
import { outboxText } from "../outbound/enqueue.ts";
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
  const answer = decision.kind === "fixed" ? decision.reply : (reply?.text ?? null);
  const outbound: NewOutbound[] = [];
  if (answer !== null)
    outbound.push({
      ...outboxText("reply", answer, turn.address.customer),
      inConversation: true,
    });
  if (job?.status === "URGENT" && view.openJob?.status !== "URGENT")
    outbound.push({
      ...outboxText("urgent_alert", urgentText(turn, job), view.tenant.operatorPhone),
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
    consent: decision.consent,
    violation: decision.kind === "fixed" && decision.violation,
  };
}

/** Later messages fill in what earlier ones left open; urgency only rises while a job is open. */
function nextJob(view: View, reply: AssistantReply): JobRecord | null {
  const open = view.openJob;
  const urgency = raiseUrgency(open?.urgency ?? "unknown", reply.urgency);
  const draft = reply.job ?? open;
  if (draft === null) return null;
  const job = {
    id: open?.id ?? newId(),
    summary: draft.summary,
    type: draft.type ?? open?.type ?? null,
    location: draft.location ?? open?.location ?? null,
    requestedTime: draft.requestedTime ?? open?.requestedTime ?? null,
    customerName: draft.customerName ?? open?.customerName ?? null,
    urgency,
  };
  const complete = job.location !== null && job.requestedTime !== null;
  return { ...job, status: urgency === "emergency" ? "URGENT" : complete ? "READY" : "NEEDS_INFO" };
}

function customersWords({ view, fresh }: Turn): string {
  return [...view.deferred, ...fresh].map((text) => text.body).join(" / ");
}

function urgentText(turn: Turn, job: JobRecord): string {
  const { view, address } = turn;
  const words = customersWords(turn);
  const place = job.location === null ? "" : ` Where: ${job.location}.`;
  return view.tenant.locale === "fr"
    ? `URGENT de ${address.customer} : ${words}.${place} Merci de rappeler au plus vite.`
    : `URGENT from ${address.customer}: ${words}.${place} Please call them now.`;
}
