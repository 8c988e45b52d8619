import type { MetaReceiptPlan } from "../faults-schema.ts";
import { runSchedule } from "../receipt-schedule.ts";
import { digitsOf, unixSeconds } from "./envelope.ts";
import { statusError } from "./meta-error.ts";
import { isPhone } from "./people.ts";
import type { People } from "./people.ts";
import type { WhatsAppSend } from "./send-log.ts";

type Status = "sent" | "delivered" | "read" | "failed";

/** "Undeliverable", the commonest of Meta's codes. */
const UNDELIVERABLE = 131026;
const WINDOW_CLOSED = 131047;

interface StatusSending {
  send: WhatsAppSend;
  people: People;
  /** false: nobody asked for statuses. */
  plan: MetaReceiptPlan | false;
  /** Whether the person has written within 24 hours. */
  isWindowOpen: boolean;
  signal: AbortSignal;
  /** Posts one status, in Meta's form, with the contacts that go with it. */
  post: (status: object, contacts: object[]) => Promise<unknown>;
  now: () => number;
}

/**
 * Takes an accepted message through its statuses. Outside the window anything but a template fails with 131047: the
 * request has been accepted all the same, so this is told whether statuses are switched on or not. A reaction is only
 * `sent` (https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status).
 *
 * @returns settled when the first status is answered
 * @throws when `signal` is aborted before
 */
export function sendStatuses(sending: StatusSending): Promise<void> {
  const { send, plan, isWindowOpen, signal, post } = sending;
  const isTooLate = !isWindowOpen && send.type !== "template";
  if (plan === false && !isTooLate) return Promise.resolve();
  const { final = "delivered", errorCode = UNDELIVERABLE, ...travel } = plan === false ? {} : plan;
  const statuses = isTooLate ? (["failed"] as const) : path(send.type, final);
  const code = isTooLate ? WINDOW_CLOSED : errorCode;
  const { first, all } = runSchedule(statuses, travel, signal, async (status, lost) => {
    const contacts = status === "failed" ? [] : [contactOf(sending)];
    if (!lost) await post(statusOf(sending, status, code), contacts);
  });
  // A status cut short by closing or a reset concerns nobody.
  all.catch(() => undefined);
  return first.catch(() => undefined);
}

/** What a status says of the message and of who got it. */
export function statusFields(
  send: WhatsAppSend,
  people: People,
): { id: string; [field: string]: string } {
  const { phone, userId } = idsOf(send, people);
  const isGroup = send.request["recipient_type"] === "group";
  return {
    id: send.wamid,
    ...(isGroup ? { recipient_id: send.to, recipient_type: "group" } : {}),
    ...(!isGroup && phone !== undefined ? { recipient_id: phone } : {}),
    ...(userId === undefined ? {} : { recipient_user_id: userId }),
    ...(send.messageId === null ? {} : { biz_opaque_callback_data: send.messageId }),
  };
}

function path(type: string, final: "delivered" | "read" | "failed"): Status[] {
  if (final === "failed") return ["failed"];
  if (type === "reaction") return ["sent"];
  return final === "read" ? ["sent", "delivered", "read"] : ["sent", "delivered"];
}

function statusOf({ send, people, now }: StatusSending, status: Status, code: number): object {
  const category = send.type === "template" ? "utility" : "service";
  const type = send.type === "template" ? "regular" : "free_customer_service";
  const isPriced = status === "sent" || status === "delivered";
  return {
    ...statusFields(send, people),
    status,
    timestamp: unixSeconds(now()),
    ...(isPriced ? { pricing: { billable: false, pricing_model: "PMP", category, type } } : {}),
    ...(status === "failed" ? { errors: [statusError(code)] } : {}),
  };
}

function contactOf({ send, people }: StatusSending): object {
  const { phone, userId } = idsOf(send, people);
  return {
    ...(phone === undefined ? {} : { wa_id: phone }),
    ...(userId === undefined ? {} : { user_id: userId }),
  };
}

function idsOf({ to }: WhatsAppSend, people: People): { phone?: string; userId?: string } {
  const other = people.otherIdOf(to);
  return isPhone(to)
    ? { phone: digitsOf(to), ...(other === undefined ? {} : { userId: other }) }
    : { userId: to, ...(other === undefined ? {} : { phone: other }) };
}
