import type { Database } from "@jobrun/db";
import type { Channel, ChannelName, MediaResult } from "@jobrun/messaging";
import type { Logger } from "winston";
import { OutageLog } from "../workers/outage-log.ts";
import { PollLoop } from "../workers/poll-loop.ts";

export interface MediaDeps {
  db: Database;
  channels: ReadonlyMap<ChannelName, Channel>;
  logger: Logger;
}

/** A file that this process may fetch until its lease ends. */
interface ClaimedFile {
  id: string;
  channel: string;
  reference: string;
  attempts: number;
  /** Seconds since its message was stored */
  age: number;
}

const POLL_MS = 2_000;
const CONCURRENCY = 4;
/** Less than the lease, so that nobody else fetches what is being fetched. */
const FETCH_MS = 90_000;
const LEASE_SECONDS = 120;
const LARGEST_BYTES = 16 * 1024 * 1024;
const FIRST_WAIT_SECONDS = 10;
const LONGEST_WAIT_SECONDS = 3600;
const GIVE_UP_SECONDS = 24 * 3600;

/**
 * Fetches what was attached to messages from its provider, a few files at a time, in any number of
 * processes: a file is claimed by a lease, and after a failure it waits longer each time, until it is
 * a day old. Stopping cuts off what is being fetched; it is fetched again by whoever is next.
 */
export function mediaWorker(deps: MediaDeps): Pick<PollLoop, "start" | "wake" | "stop"> {
  const stopping = new AbortController();
  const outage = new OutageLog(deps.logger, "media", "media could not be fetched; trying again");
  const fetching = () => outage.watch(() => fetchAll(deps, stopping.signal));
  const loop = new PollLoop(async () => {
    await Promise.all(Array.from({ length: CONCURRENCY }, fetching));
  }, POLL_MS);
  return {
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: () => {
      stopping.abort();
      return loop.stop();
    },
  };
}

/** One file after the other, until none is due. */
async function fetchAll(deps: MediaDeps, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const file = await claim(deps.db);
    if (file === null) return;
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(FETCH_MS)]);
    await record(deps, file, await fetchFile(deps, file, signal));
  }
}

async function claim(db: Database): Promise<ClaimedFile | null> {
  const [file] = await db.service.$queryRaw<ClaimedFile[]>`
    UPDATE "MediaFile" f SET "attempts" = f."attempts" + 1, "dueAt" = now() + make_interval(secs => ${LEASE_SECONDS})
    FROM (SELECT "id" FROM "MediaFile" WHERE "state" = 'PENDING' AND "dueAt" <= now()
          ORDER BY "dueAt" LIMIT 1 FOR UPDATE SKIP LOCKED) due
    WHERE f."id" = due."id"
    RETURNING f."id"::text, f."channel", f."reference", f."attempts",
      extract(epoch FROM now() - f."createdAt")::float8 AS "age"`;
  return file ?? null;
}

async function fetchFile(
  { channels }: MediaDeps,
  { channel, reference }: ClaimedFile,
  signal: AbortSignal,
): Promise<MediaResult> {
  const result = await channels.get(channel)?.fetchMedia?.(reference, signal);
  // Without its credentials a channel cannot fetch anything; they may come back.
  if (result === undefined) return { kind: "unavailable", code: "not-configured" };
  if (result.kind === "fetched" && result.content.byteLength > LARGEST_BYTES)
    return { kind: "gone", code: "too-large" };
  return result;
}

/** Nothing is written once the claim has ended, or when the message was erased meanwhile. */
async function record(
  { db, logger }: MediaDeps,
  { id, attempts, age }: ClaimedFile,
  result: MediaResult,
): Promise<void> {
  if (result.kind === "fetched") {
    await db.service.$executeRaw`
      UPDATE "MediaFile" SET "state" = 'FETCHED', "content" = ${result.content}, "contentType" = ${result.contentType}, "error" = NULL
      WHERE "id" = ${id}::uuid AND "state" = 'PENDING' AND "attempts" = ${attempts}`;
    return;
  }
  const isOver = result.kind === "gone" || age > GIVE_UP_SECONDS;
  const wait = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 4 ** (attempts - 1));
  const written = await db.service.$executeRaw`
    UPDATE "MediaFile" SET "state" = ${isOver ? "FAILED" : "PENDING"}, "error" = ${result.code},
      "dueAt" = now() + make_interval(secs => ${wait})
    WHERE "id" = ${id}::uuid AND "state" = 'PENDING' AND "attempts" = ${attempts}`;
  if (isOver && written === 1)
    logger.warn("what was attached to a message cannot be fetched", {
      fileId: id,
      code: result.code,
    });
}
