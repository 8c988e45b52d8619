import type { Database } from "@jobrun/db";
import type { Channel, ChannelName, InboundMessage } from "@jobrun/messaging";
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
  channels: ReadonlyMap<ChannelName, Channel>;
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
  const { number, known } = await resolveArrival(deps.db, message);
  if (known) return { kind: "duplicate" };
  switch (number.role) {
    case "OPERATIONAL": {
      if (number.sender === "ours") return keepUnanswered(deps, arrived, false);
      const text = inboundText(arrived, number.tenantId, deadline);
      return number.sender === "operator" ? deps.people.operator(text) : deps.inbound.handle(text);
    }
    case "ONBOARDING":
      return deps.people.onboarding(onboardingText(arrived, deadline));
    case "SYSTEM": {
      const answers = deps.channels.get(message.channel)?.ownsEveryNumber ?? false;
      return keepUnanswered(deps, arrived, answers);
    }
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
  const { channel, from: customer, ids, to: texted } = message;
  // Who is known by the address alone needs no second look.
  const isMore = ids !== undefined && (ids.userId !== null || ids.formerly !== undefined);
  return {
    address: { tenantId, channel, customer, ...(isMore && { ids }) },
    texted,
    requestId,
    deadline,
    ...contentOf(message),
  };
}

/** What there is to store of a message. */
export function contentOf(message: InboundMessage) {
  const { providerMessageId, body, media, type, payload, silent, sentAt } = message;
  return {
    providerMessageId,
    body,
    media,
    type: type ?? "text",
    payload: payload ?? null,
    silent: silent ?? false,
    sentAt: believable(sentAt?.getTime() ?? null),
  };
}

/** Longer than any provider repeats a webhook: what says that it was sent before has a wrong clock. */
const OLDEST_MS = 8 * 24 * 3_600_000;

/** A clock that is ahead of ours must not make a window longer. */
function believable(sentAt: number | null): number | null {
  if (sentAt === null) return null;
  const now = Date.now();
  return sentAt < now - OLDEST_MS ? null : Math.min(sentAt, now);
}

export function onboardingText(
  { message, requestId }: ArrivedText,
  deadline: number,
): OnboardingText {
  const { channel, from, to: texted } = message;
  return { channel, from, texted, requestId, deadline, ...contentOf(message) };
}
