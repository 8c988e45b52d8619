import type { Database } from "@jobrun/db";
import type { InboundMessage } from "@jobrun/messaging";
import type { AlertService } from "../alerts/alert-service.ts";
import { resolveArrival } from "../numbers/resolve-number.ts";
import type { Events } from "../telemetry/events.ts";
import type { Inbound, InboundResult, InboundText } from "./handle-inbound.ts";
import { storeUnrouted } from "./unrouted.ts";

/** A text to a number where businesses sign up. It belongs to no tenant yet. */
export type OnboardingText = Omit<InboundText, "address"> & { from: string; channel: string };

/** Who takes the texts that are not a customer's. None of them throws. */
export interface OtherPeople {
  operator(text: InboundText): Promise<InboundResult>;
  onboarding(text: OnboardingText): Promise<InboundResult>;
}

export interface TakeTextDeps {
  db: Database;
  inbound: Inbound;
  people: OtherPeople;
  events: Events;
  alerts: Pick<AlertService, "raise">;
  wakeOutbox: () => void;
}

/** A text as it arrived, and the id that its whole trace carries. */
export interface ArrivedText {
  message: InboundMessage;
  requestId: string;
}

/**
 * Takes a text by what its number is for and who sent it, and answers it at once.
 *
 * @param deadline when this try must have ended, milliseconds since the epoch
 * @throws when the database does not answer
 */
export async function takeText(
  deps: TakeTextDeps,
  arrived: ArrivedText,
  deadline: number,
): Promise<InboundResult> {
  const { message } = arrived;
  const { to, from, providerMessageId } = message;
  const { number, known } = await resolveArrival(deps.db, to, from, providerMessageId);
  if (known) return { kind: "duplicate" };
  switch (number.role) {
    case "OPERATIONAL": {
      if (number.sender === "ours") return keepUnanswered(deps, arrived, false);
      const text = inboundText(arrived, number.tenantId, deadline);
      return number.sender === "operator" ? deps.people.operator(text) : deps.inbound.handle(text);
    }
    case "ONBOARDING":
      return deps.people.onboarding(onboardingText(arrived, deadline));
    case "SYSTEM":
      return keepUnanswered(deps, arrived, true);
  }
}

/** Nobody's text, kept for the founder; with the generic answer where one makes sense. */
async function keepUnanswered(
  deps: TakeTextDeps,
  { message, requestId }: ArrivedText,
  answers: boolean,
): Promise<InboundResult> {
  if ((await storeUnrouted(deps, message, requestId, answers)) === "duplicate")
    return { kind: "duplicate" };
  deps.wakeOutbox();
  void deps.alerts.raise({ type: "UNROUTED_MESSAGE", requestId });
  return { kind: "committed" };
}

export function inboundText(
  { message, requestId }: ArrivedText,
  tenantId: string,
  deadline: number,
): InboundText {
  const { channel, from: customer, to: texted, providerMessageId, body, media } = message;
  return {
    address: { tenantId, channel, customer },
    texted,
    providerMessageId,
    requestId,
    body,
    media,
    deadline,
  };
}

export function onboardingText(
  { message, requestId }: ArrivedText,
  deadline: number,
): OnboardingText {
  const { channel, from, to: texted, providerMessageId, body, media } = message;
  return { channel, from, texted, providerMessageId, requestId, body, media, deadline };
}
