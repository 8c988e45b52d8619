import { newId, Prisma, type Database } from "@jobrun/db";
import type { LoggedInbound, ProviderLog } from "@jobrun/messaging";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import { toldFrom } from "../numbers/told-from.ts";
import type { Events } from "../telemetry/events.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";
import { acceptLater, type AcceptLaterDeps } from "./accept-later.ts";
import type { ArrivedText } from "./take-text.ts";
import { claimSweep, LEASE_SECONDS, recordSweep, type SweepClaim } from "./sweep-state.ts";

export interface SweepDeps extends AcceptLaterDeps {
  provider: string;
  /** The provider's own log of what it received */
  log: ProviderLog;
  events: Events;
  metrics: Metrics;
  alerts: Pick<AlertService, "raise" | "resolve">;
  logger: winston.Logger;
  /** Pause between two sweeps; may be a fraction */
  intervalSeconds: number;
}

type SweepResult =
  /** The whole log since the watermark is compared, and all of it is stored. The watermark moved. */
  | { kind: "complete"; recovered: number }
  /** Something could not be read or stored. The next sweep begins at the same watermark. */
  | { kind: "incomplete"; recovered: number; code: string }
  /** Another process sweeps, or did so within the interval. */
  | { kind: "held" };

export interface Sweep {
  /** Sweeps now and then at every interval. */
  start(): void;
  /** Resolves when nothing runs any more. A sweep cut short goes on with the next start. */
  stop(): Promise<void>;
  /** One sweep. Never throws. */
  run(): Promise<SweepResult>;
}

/** Listed again each time, for what the provider's log shows late and for clocks that differ. */
const OVERLAP_MS = 10 * 60_000;
/** Twilio waits 15 s for the webhook and 15 s for the fallback: a younger text may be on its way. */
const WEBHOOK_TIME_MS = 30_000;
const LISTING_MS = 60_000;
const FAILURES_TO_ALERT = 3;
const SILENCE_TO_ALERT_MS = 5 * 60_000;

/**
 * The third net: compares the provider's own log with ours and takes in what never arrived as a
 * webhook, to be answered by the worker of deferred messages.
 */
export function createSweep(deps: SweepDeps): Sweep {
  const stopping = new AbortController();
  const outage = new OutageLog(
    deps.logger,
    "sweep",
    "sweep failed; the next one begins at the same point",
  );
  let failures = 0;
  let lastComplete = deps.now();

  /** What other processes achieved counts: only one of them sweeps. */
  function claimed({ lastRunAt }: SweepClaim): void {
    if (lastRunAt === null || lastRunAt <= lastComplete) return;
    lastComplete = lastRunAt;
    failures = 0;
  }

  async function report(result: SweepResult): Promise<void> {
    if (result.kind === "held" || stopping.signal.aborted) return;
    const { provider } = deps;
    if (result.kind === "complete") {
      failures = 0;
      lastComplete = deps.now();
      return deps.alerts.resolve("SWEEP_FAILING", provider);
    }
    failures += 1;
    const { code } = result;
    // Of our own database that is said already.
    if (code !== "database")
      deps.logger.error("sweep incomplete; the next one begins at the same point", {
        provider,
        code,
        failures,
      });
    if (failures >= FAILURES_TO_ALERT || deps.now() - lastComplete >= SILENCE_TO_ALERT_MS)
      await deps.alerts.raise({ type: "SWEEP_FAILING", resource: provider });
  }

  async function run(): Promise<SweepResult> {
    const result = await sweepOnce(deps, stopping.signal, claimed).catch(
      (error: unknown): SweepResult => {
        outage.failed(error);
        return { kind: "incomplete", recovered: 0, code: "database" };
      },
    );
    if (result.kind !== "incomplete" || result.code !== "database") outage.worked();
    await report(result);
    return result;
  }

  const loop = new PollLoop(async () => void (await run()), deps.intervalSeconds * 1000);
  return {
    start: () => loop.start(),
    stop: () => {
      stopping.abort();
      return loop.stop();
    },
    run,
  };
}

async function sweepOnce(
  deps: SweepDeps,
  stop: AbortSignal,
  claimed: (claim: SweepClaim) => void,
): Promise<SweepResult> {
  const { db, provider, intervalSeconds: spacingSeconds } = deps;
  const claim = await claimSweep(db, provider, deps.now());
  if (claim === null) return { kind: "held" };
  // A clock that is fast must not move the watermark past texts that are still to come.
  const startedAt = Math.min(claim.now, deps.now());
  claimed(claim);
  const time = AbortSignal.timeout(LEASE_SECONDS * 1000 - deps.deadlineMs);

  const since = new Date(claim.watermark - OVERLAP_MS);
  const limit = AbortSignal.any([stop, AbortSignal.timeout(LISTING_MS)]);
  const listing = await deps.log.received(since, limit);
  if (listing.kind === "failed") {
    const nothing = { recovered: 0, outstanding: null, completeUpTo: null };
    await recordSweep(db, provider, { spacingSeconds, ...nothing });
    return { kind: "incomplete", recovered: 0, code: listing.code };
  }

  const due = listing.found.filter(
    ({ receivedAt }) => receivedAt.getTime() <= startedAt - WEBHOOK_TIME_MS,
  );
  const missing = await findMissing(db, due);
  const { recovered, outstanding } = await takeIn(deps, missing, AbortSignal.any([stop, time]));
  const completeUpTo = outstanding === 0 ? startedAt : null;
  await recordSweep(db, provider, { spacingSeconds, recovered, outstanding, completeUpTo });
  return outstanding === 0
    ? { kind: "complete", recovered }
    : { kind: "incomplete", recovered, code: "not_stored" };
}

/**
 * Those to numbers of ours that are stored nowhere, in one query however many there are. The account
 * may have other numbers, whose texts are somebody else's to answer, unless they answer what we told an operator.
 */
async function findMissing(db: Database, logged: LoggedInbound[]): Promise<LoggedInbound[]> {
  const ids = logged.map(({ providerMessageId }) => providerMessageId);
  const receivers = logged.map(({ to }) => to);
  const senders = logged.map(({ from }) => from);
  const text = { to: Prisma.sql`logged."to"`, phone: Prisma.sql`logged."from"` };
  const rows = await db.service.$queryRaw<{ id: string }[]>`
    SELECT logged."id" FROM unnest(${ids}::text[], ${receivers}::text[], ${senders}::text[]) AS logged("id", "to", "from")
    WHERE (EXISTS (SELECT 1 FROM "TwilioNumberPool" WHERE "phoneNumber" = logged."to") OR EXISTS (${toldFrom(text)}))
      AND NOT EXISTS (SELECT 1 FROM "Message" WHERE "providerMessageId" = logged."id")
      AND NOT EXISTS (SELECT 1 FROM "UnroutedMessage" WHERE "providerMessageId" = logged."id")`;
  const missing = new Set(rows.map(({ id }) => id));
  return logged.filter(({ providerMessageId }) => missing.has(providerMessageId));
}

/** Takes in person by person, so that all a person wrote is answered together. */
async function takeIn(
  deps: SweepDeps,
  missing: LoggedInbound[],
  stop: AbortSignal,
): Promise<{ recovered: number; outstanding: number }> {
  let recovered = 0;
  let outstanding = 0;
  for (const texts of byPerson(missing)) {
    const fresh = stop.aborted ? null : await takeInOf(deps, texts);
    if (fresh === null) outstanding += texts.length;
    else recovered += fresh.length;
  }
  if (recovered > 0) {
    deps.metrics.recovered.inc({ net: "sweep" }, recovered);
    const summary = `Messages that never arrived as webhooks were found at the provider: ${recovered}`;
    await deps.alerts.raise({ type: "SWEEP_RECOVERED", resource: deps.provider, summary });
  }
  return { recovered, outstanding };
}

/** A log is oldest first, and so are each person's texts and the people. */
function byPerson(missing: LoggedInbound[]): Iterable<[ArrivedText, ...ArrivedText[]]> {
  const people = new Map<string, [ArrivedText, ...ArrivedText[]]>();
  for (const message of missing) {
    const key = `${message.channel} ${message.from} ${message.to}`;
    // As if it had come when it was sent: what a customer wrote during an outage was no burst.
    const text = { message: { ...message, sentAt: message.receivedAt }, requestId: newId() };
    const texts = people.get(key);
    if (texts === undefined) people.set(key, [text]);
    else texts.push(text);
  }
  return people.values();
}

/** @returns null when this person's texts could not be stored; those of others still may be. */
async function takeInOf(
  deps: SweepDeps,
  texts: readonly [ArrivedText, ...ArrivedText[]],
): Promise<ArrivedText[] | null> {
  try {
    const { fresh } = await acceptLater(deps, texts);
    for (const { message, requestId } of fresh)
      deps.events.emit("message_recovered", {
        requestId,
        providerMessageId: message.providerMessageId,
        net: "sweep",
      });
    return fresh;
  } catch (error) {
    const [{ requestId, message }] = texts;
    deps.logger.error("the sweep could not store a message", {
      requestId,
      providerMessageId: message.providerMessageId,
      error,
    });
    return null;
  }
}
