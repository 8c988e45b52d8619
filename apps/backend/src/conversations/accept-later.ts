import type { Database } from "@jobrun/db";
import type { Channel, ChannelName } from "@jobrun/messaging";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { resolveArrival } from "../numbers/resolve-number.ts";
import type { Events } from "../telemetry/events.ts";
import { deferTexts } from "./deferred.ts";
import type { InboundResult } from "./handle-inbound.ts";
import {
  contentOf,
  inboundText,
  onboardingText,
  type ArrivedText,
  type OtherPeople,
} from "./take-text.ts";
import { storeUnrouted } from "./unrouted.ts";

export interface AcceptLaterDeps {
  db: Database;
  events: Events;
  /** Whose texts need no assistant: they are answered at once, here too */
  people: OtherPeople;
  alerts: Pick<AlertService, "raise">;
  logger: winston.Logger;
  /** Longest that storing one person's texts may take, milliseconds */
  deadlineMs: number;
  wakeOutbox: () => void;
  wakeDeferred: () => void;
  channels: ReadonlyMap<ChannelName, Channel>;
  now: () => number;
}

export interface Accepted {
  /** `deferred`: a worker answers. `stored`: nobody needs to. `duplicate`: nothing was new. */
  outcome: "deferred" | "stored" | "duplicate";
  /** Those of the texts that are stored by this call */
  fresh: ArrivedText[];
}

/**
 * Stores texts of one person to one number of ours without asking the assistant, by what the number
 * is for: the way in of what the first webhook did not bring, or could not be answered in its time.
 *
 * @param texts of one sender to one receiver, oldest first
 * @param holding whether a customer is told at once that an answer will take longer
 * @throws when they could not be stored; a tenant's are stored all together or not at all
 */
export async function acceptLater(
  deps: AcceptLaterDeps,
  texts: readonly [ArrivedText, ...ArrivedText[]],
  holding = true,
): Promise<Accepted> {
  const [{ message }] = texts;
  const { number, known } = await resolveArrival(deps.db, message);
  // The others' ids are looked at by whoever stores them.
  const unknown = known ? texts.slice(1) : [...texts];
  const deadline = deps.now() + deps.deadlineMs;
  switch (number.role) {
    case "OPERATIONAL": {
      const { tenantId, sender } = number;
      if (sender === "customer")
        return accepted("deferred", await defer(deps, tenantId, unknown, holding));
      if (sender === "ours") return accepted("stored", await keepUnrouted(deps, unknown, false));
      const take = (text: ArrivedText) =>
        deps.people.operator(inboundText(text, tenantId, deadline));
      return accepted("stored", await answerNow(unknown, take));
    }
    case "ONBOARDING": {
      const take = (text: ArrivedText) => deps.people.onboarding(onboardingText(text, deadline));
      return accepted("stored", await answerNow(unknown, take));
    }
    case "SYSTEM": {
      const answers = deps.channels.get(message.channel)?.ownsEveryNumber ?? false;
      return accepted("stored", await keepUnrouted(deps, unknown, answers));
    }
  }
}

function accepted(outcome: "deferred" | "stored", fresh: ArrivedText[]): Accepted {
  return { outcome: fresh.length === 0 ? "duplicate" : outcome, fresh };
}

async function answerNow(
  texts: ArrivedText[],
  take: (text: ArrivedText) => Promise<InboundResult>,
): Promise<ArrivedText[]> {
  const fresh = [];
  for (const text of texts) {
    const { kind } = await take(text);
    if (kind === "failed") throw new Error("the text could not be stored");
    if (kind === "committed") fresh.push(text);
  }
  return fresh;
}

async function defer(
  deps: AcceptLaterDeps,
  tenantId: string,
  texts: ArrivedText[],
  holding: boolean,
): Promise<ArrivedText[]> {
  const [first] = texts;
  if (first === undefined) return [];
  const deadline = deps.now() + deps.deadlineMs;
  const { address, texted } = inboundText(first, tenantId, deadline);
  const stored = await deferTexts(deps, {
    address,
    texted,
    texts: texts.map(({ message, requestId }) => ({ requestId, ...contentOf(message) })),
    deadline,
    holding,
  });
  if (stored.length > 0) {
    deps.wakeOutbox();
    deps.wakeDeferred();
  }
  return texts.filter(({ message }) => stored.includes(message.providerMessageId));
}

async function keepUnrouted(
  deps: AcceptLaterDeps,
  texts: ArrivedText[],
  answers: boolean,
): Promise<ArrivedText[]> {
  const fresh = [];
  for (const text of texts) {
    if ((await storeUnrouted(deps, text.message, text.requestId, answers)) === "duplicate")
      continue;
    void deps.alerts.raise({ type: "UNROUTED_MESSAGE", requestId: text.requestId });
    fresh.push(text);
  }
  if (fresh.length > 0) deps.wakeOutbox();
  return fresh;
}
