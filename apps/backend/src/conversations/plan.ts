import type { JobDraft, Urgency } from "../assistant/assistant.ts";
import type { LimitsChange } from "../limits/usage.ts";
import type { OutboxText } from "../outbound/enqueue.ts";
import type { ConsentChange } from "./decide.ts";
import type { Address, StoredText, View } from "./prepare.ts";

/** An inbound text that is not in the database yet. */
export interface NewText extends StoredText {
  providerMessageId: string;
  requestId: string;
  /** What it consists of, such as `text` or `image` */
  type: string;
  /** What its words do not say, in the provider's own form */
  payload: unknown;
  /** When it was sent, as far as the provider says so, milliseconds since the epoch */
  sentAt: number | null;
}

/** A text to send: a row of the outbox. */
export interface NewOutbound extends OutboxText {
  /**
   * `customer`: in the conversation, from the number that was texted. `operator`: in none, so that a
   * customer's replies never wait for it, and from the number that texts the operator.
   */
  to: "customer" | "operator";
}

export interface JobRecord extends JobDraft {
  id: string;
  /** Null of a new one: the commit gives it the tenant's next */
  number: number | null;
  urgency: Urgency;
  status: "NEEDS_INFO" | "READY" | "URGENT" | "ACCEPTED";
}

/** What a turn writes. Everything in it was decided from `view`. */
export interface Plan {
  view: View;
  address: Address;
  /** What the provider calls the number of ours that was texted: the sender of what we answer */
  texted: string;
  /** Whence the operator is texted */
  operatorSender: { channel: string; number: string };
  requestId: string;
  inbound: NewText[];
  /** Stored before and answered by this turn. */
  answered: string[];
  /** Status of the new inbound rows. */
  status: "RECEIVED" | "DEFERRED";
  outbound: NewOutbound[];
  job: JobRecord | null;
  /** What the operator is told when this turn makes the job urgent, once its number is known */
  urgentAlert: ((jobNumber: number) => OutboxText) | null;
  consent: ConsentChange | null;
  /** Whether what is attached must be fetched from the provider */
  fetchesMedia: boolean;
  /** Absent where limits were not looked at */
  limits?: LimitsChange;
}
