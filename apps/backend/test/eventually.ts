import { setTimeout as wait } from "node:timers/promises";

/** Below the limit of a test, so that what was read last is shown. A busy machine may need most of it. */
const LIMIT_MS = 25_000;
const PAUSE_MS = 20;

/**
 * Reads again and again until what it reads fits: for the database, which tells nobody of a change.
 *
 * @throws after 25 s, an error that shows what was read last
 */
export async function eventually<T>(
  read: () => Promise<T>,
  fits: (value: T) => boolean,
): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; ; await wait(PAUSE_MS)) {
    const value = await read();
    if (fits(value)) return value;
    if (Date.now() > end)
      throw new Error(`still so after ${LIMIT_MS} ms: ${JSON.stringify(value)}`);
  }
}
