export type Severity = "warning" | "critical";

/** How an incident ends. */
export type Resolution =
  /** The condition is in the database and is looked at on every tick. */
  | { when: "condition ends" }
  /** Whoever raised it calls `resolve`. */
  | { when: "resolved by its raiser" }
  /** It happened and is over; the incident closes when it was not seen for this long. */
  | { when: "not seen"; forMs: number };

export interface AlertTypeDefinition {
  /** Of an incident that names no severity of its own. */
  severity: Severity;
  /** Used when whoever raises it gives none. */
  summary: string;
  /** Texts themselves are failing, so the founder is not told by text alone. */
  aboutTexts?: true;
  resolution: Resolution;
}

const MINUTE_MS = 60_000;
const conditionEnds: Resolution = { when: "condition ends" };
const byRaiser: Resolution = { when: "resolved by its raiser" };
const notSeenFor = (minutes: number): Resolution => ({
  when: "not seen",
  forMs: minutes * MINUTE_MS,
});
/** Counted in the memory of one process, which refreshes the incident on every tick. */
const countedHere = notSeenFor(1);
const aDay = notSeenFor(24 * 60);

/** Everything the founder can be told. Each has its entry in docs/runbook.md. */
export const alertTypes = {
  MESSAGE_DEAD: {
    severity: "critical",
    summary: "Outbound messages were given up on and are not delivered",
    aboutTexts: true,
    resolution: conditionEnds,
  },
  MESSAGE_UNKNOWN_STUCK: {
    severity: "warning",
    summary: "It is unknown whether some outbound messages were sent",
    aboutTexts: true,
    resolution: conditionEnds,
  },
  DEFERRED_STUCK: {
    severity: "warning",
    summary: "Customers' messages were accepted but are not answered",
    resolution: conditionEnds,
  },
  SWEEP_RECOVERED: {
    severity: "warning",
    summary: "Messages that never arrived as webhooks were found at the provider",
    resolution: aDay,
  },
  SWEEP_FAILING: {
    severity: "critical",
    summary: "The provider's log cannot be compared with ours",
    resolution: byRaiser,
  },
  ASSISTANT_FAILING: {
    severity: "critical",
    summary: "The assistant keeps failing",
    resolution: countedHere,
  },
  ASSISTANT_AUTH: {
    severity: "critical",
    summary: "The assistant refuses our credentials",
    resolution: notSeenFor(60),
  },
  TRANSACTIONS_FAILING: {
    severity: "critical",
    summary: "Webhooks keep failing; nothing is written and providers retry",
    resolution: countedHere,
  },
  BREAKER_OPEN: {
    severity: "critical",
    summary: "A provider is unavailable; outbound messages wait",
    aboutTexts: true,
    resolution: countedHere,
  },
  CHANNEL_STOPPED: {
    severity: "critical",
    summary: "A provider refuses our account; outbound messages wait",
    aboutTexts: true,
    resolution: conditionEnds,
  },
  PROVIDER_RESTRICTION: {
    severity: "critical",
    summary: "A provider restricts what we may send; campaigns wait",
    resolution: byRaiser,
  },
  WINDOW_CLOSED: {
    severity: "warning",
    summary: "Messages wait until their customers write again: a template could be sent instead",
    resolution: conditionEnds,
  },
  SIGNATURE_BURST: {
    severity: "critical",
    summary: "Many webhooks were refused for their signature",
    resolution: countedHere,
  },
  WEBHOOK_CONFIG_DIFFERS: {
    severity: "critical",
    summary: "A number's webhooks at the provider do not point here",
    resolution: byRaiser,
  },
  POOL_LOW: {
    severity: "warning",
    summary: "Fewer than 3 numbers are left for new tenants",
    resolution: byRaiser,
  },
  POOL_EMPTY: {
    severity: "critical",
    summary: "No number is left for new tenants",
    resolution: byRaiser,
  },
  SYSTEM_NUMBER_CALLED: {
    severity: "warning",
    summary: "Somebody called a number that belongs to no tenant",
    resolution: aDay,
  },
  UNROUTED_MESSAGE: {
    severity: "warning",
    summary: "Somebody texted a number that belongs to no tenant",
    resolution: aDay,
  },
  URGENT_JOB_UNANSWERED: {
    severity: "critical",
    summary: "An operator did not answer an urgent job",
    resolution: byRaiser,
  },
  ONBOARDING_STUCK: {
    severity: "warning",
    summary: "A sign-up by text does not get on",
    resolution: aDay,
  },
  QUOTA_NEAR: {
    severity: "warning",
    summary: "A tenant has nearly used up its quota",
    resolution: aDay,
  },
  INVARIANT_VIOLATION: {
    severity: "critical",
    summary: "The gateway found data that should not exist",
    resolution: aDay,
  },
  TEST_ALERT: {
    severity: "warning",
    summary: "This is a test of the alert channels",
    resolution: notSeenFor(5),
  },
} as const satisfies Record<string, AlertTypeDefinition>;

export type AlertType = keyof typeof alertTypes;

/** @returns the definition of a type read from the database, which an older version may have written. */
export function definitionOf(type: string): AlertTypeDefinition | null {
  return Object.hasOwn(alertTypes, type) ? alertTypes[type as AlertType] : null;
}

/** Where the runbook tells what to do about a type. */
export function runbookOf(type: string): string {
  return `docs/runbook.md#${type.toLowerCase()}`;
}
