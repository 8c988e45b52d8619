import type { Database } from "@jobrun/db";
import type winston from "winston";
import type { DeliveryTimings } from "../outbound/timings.ts";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { claimDeferred, returnDeferred, type ClaimedConversation } from "./claim-deferred.ts";
import type { DeferredTurn, Inbound } from "./handle-inbound.ts";
import type { Offer } from "./store-deferred.ts";

export interface DeferredWorkerDeps {
  db: Database;
  inbound: Pick<Inbound, "answerDeferred">;
  logger: winston.Logger;
  /** Longest that one turn may take, its commit not included, milliseconds */
  deadlineMs: number;
  timings: Pick<DeliveryTimings, "pollMs" | "turnReserveMs">;
  /** Called when there may be more to answer than this process takes now. */
  callOthers: () => void;
  now: () => number;
}

/** Deferred texts of one conversation that are this process's to answer. */
export interface TakenTexts extends Pick<
  ClaimedConversation,
  "messageIds" | "attempts" | "leasedUntil"
> {
  conversation: Omit<DeferredTurn, "deadline">;
}

/** Conversations in work at once in one process. Most of the time they wait for the model. */
export const PLACES = 256;

/** One tenant's flood leaves half of the places to the others. */
const PER_TENANT = PLACES / 2;

/** Turns that begin at the same moment all want the database at once, as do the webhooks: begun by and by. */
const CLAIMED_AT_ONCE = 64;

/** What is stored or becomes free within this time is claimed together. */
const GATHER_MS = 20;

/** With a tenant at its limit a claim reads past all that this tenant has waiting: not too often. */
const GATHER_FULL_MS = 200;

/**
 * Answers deferred texts: any number of conversations at a time, one turn of each. A text that is
 * stored while there is room is taken at once; all others are claimed, those that wait longest first.
 */
export class DeferredWorker {
  readonly #deps: DeferredWorkerDeps;
  readonly #leaseMs: number;
  readonly #loop: PollLoop;
  readonly #outage: OutageLog;
  readonly #turns = new Set<Promise<void>>();
  readonly #underWay = new Map<string, number>();
  #running = false;
  /** More may wait than was claimed: then nothing is taken past those who wait. */
  #more = true;
  #gathering: NodeJS.Timeout | undefined;

  constructor(deps: DeferredWorkerDeps) {
    this.#deps = deps;
    // So that a slow model is never asked by two processes about the same texts.
    this.#leaseMs = deps.deadlineMs + deps.timings.turnReserveMs;
    this.#loop = new PollLoop(() => this.#claim(), deps.timings.pollMs);
    const failure = "deferred texts could not be read; trying again";
    this.#outage = new OutageLog(deps.logger, "deferred", failure);
  }

  start(): void {
    this.#running = true;
    this.#loop.start();
  }

  /** Takes nothing more and resolves when every turn in work has ended. */
  async stop(): Promise<void> {
    this.#running = false;
    clearTimeout(this.#gathering);
    await this.#loop.stop();
    await Promise.all(this.#turns);
  }

  /** Call when texts were stored that this process has not taken. */
  wake(): void {
    this.look();
    // With room here nobody else is needed.
    if (!this.#running || this.#more || this.#fullTenants().length > 0) this.#deps.callOthers();
  }

  /** Claims what waits, soon. Call when another process says that it has more than it takes. */
  look(): void {
    if (!this.#running) return;
    const gatherMs = this.#fullTenants().length > 0 ? GATHER_FULL_MS : GATHER_MS;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#loop.wake();
    }, gatherMs);
  }

  /** On which terms a text that is about to be stored is taken; null: not now. */
  offer(): Offer | null {
    if (!this.#running || this.#more || this.#turns.size >= PLACES) return null;
    return { leaseMs: this.#leaseMs, fullTenants: this.#fullTenants() };
  }

  /** Answers texts that are leased to this process. */
  take(texts: TakenTexts): void {
    const { tenantId } = texts.conversation.address;
    this.#underWay.set(tenantId, (this.#underWay.get(tenantId) ?? 0) + 1);
    const turn = this.#answer(texts).finally(() => {
      this.#turns.delete(turn);
      const left = (this.#underWay.get(tenantId) ?? 0) - 1;
      if (left > 0) this.#underWay.set(tenantId, left);
      else this.#underWay.delete(tenantId);
      // What the customer wrote meanwhile has waited for this, whichever process stored it.
      this.look();
    });
    this.#turns.add(turn);
  }

  async #answer({ conversation, ...lease }: TakenTexts): Promise<void> {
    const { db, inbound, deadlineMs, logger, now } = this.#deps;
    const { kind } = await inbound.answerDeferred({
      ...conversation,
      deadline: now() + deadlineMs,
    });
    if (kind !== "failed") return;
    await returnDeferred(db, lease).catch((error: unknown) => {
      // The lease ends by itself.
      logger.error("deferred texts could not be given back", { error });
    });
  }

  async #claim(): Promise<void> {
    const count = Math.min(PLACES - this.#turns.size, CLAIMED_AT_ONCE);
    if (count <= 0) {
      this.#more = true;
      return;
    }
    try {
      const claimed = await claimDeferred(this.#deps.db, {
        count,
        perTenant: PER_TENANT,
        underWay: Object.fromEntries(this.#underWay),
        leaseMs: this.#leaseMs,
      });
      this.#outage.worked();
      for (const { tenantId, channel, customer, phone, userId, ...rest } of claimed) {
        const { messageIds, attempts, leasedUntil, ...conversation } = rest;
        const ids = userId === null ? {} : { ids: { phone, userId } };
        // Who has another number by now is answered there.
        const reached = [phone, userId].includes(customer)
          ? customer
          : (phone ?? userId ?? customer);
        const address = { tenantId, channel, customer: reached, ...ids };
        this.take({
          conversation: { ...conversation, address },
          messageIds,
          attempts,
          leasedUntil,
        });
      }
      this.#more = claimed.length === count || this.#fullTenants().length > 0;
      // Who claimed nothing calls nobody, or two processes at a limit would keep each other awake.
      if (this.#more && claimed.length > 0) this.#deps.callOthers();
      if (claimed.length > 0) this.look();
    } catch (error) {
      this.#outage.failed(error);
    }
  }

  #fullTenants(): string[] {
    return [...this.#underWay].filter(([, turns]) => turns >= PER_TENANT).map(([id]) => id);
  }
}
