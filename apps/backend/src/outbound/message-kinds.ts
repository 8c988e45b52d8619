interface MessageKindDefinition {
  /** Lower ones are claimed first: replies and urgent alerts go before campaigns. */
  priority: 0 | 1;
  /** How long it is worth sending, seconds: an answer to a call must not arrive a day late. */
  lifeSeconds: number | null;
  /** Where nothing can prove what became of it: whether a second copy is better than silence. */
  resendWithoutEvidence: boolean;
}

const MINUTE = 60;
const important = { priority: 0, lifeSeconds: null, resendWithoutEvidence: true } as const;

/** Everything the outbox carries. */
export const messageKinds = {
  reply: important,
  urgent_alert: important,
  deferred_alert: important,
  founder_alert: important,
  operator_reply: important,
  forwarded: important,
  customer_notice: important,
  onboarding: important,
  opt_out_confirmation: important,
  quota_notice: important,
  rate_notice: { ...important, lifeSeconds: 15 * MINUTE },
  holding: { ...important, lifeSeconds: 15 * MINUTE },
  unrouted_reply: { ...important, lifeSeconds: 15 * MINUTE },
  missed_call: { ...important, lifeSeconds: 30 * MINUTE },
  campaign: { priority: 1, lifeSeconds: null, resendWithoutEvidence: false },
} as const satisfies Record<string, MessageKindDefinition>;

export type MessageKind = keyof typeof messageKinds;

/** @returns the definition of a kind read from the database, which an older version may have written. */
export function definitionOf(kind: string): MessageKindDefinition {
  return Object.hasOwn(messageKinds, kind) ? messageKinds[kind as MessageKind] : important;
}
