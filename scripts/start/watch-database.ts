import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

/** PostgreSQL starts up, shuts down or recovers: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CANNOT_CONNECT_NOW = "57P03";
const TRY_AGAIN_MS = 100;

/**
 * Notices when the embedded PostgreSQL ends: it does so with the process that started it, which may be another
 * `npm start`, and comes back on another port.
 *
 * @param url its address
 * @param onEnd called once
 */
export async function watchDatabase(url: string, onEnd: () => void) {
  let watching = true;
  let client = await connect();

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({ connectionString: url });
    next.on("error", () => {});
    await next.connect();
    next.on("end", () => void lost());
    return next;
  }

  /** A session may also be ended alone: the server is gone when it takes no other. */
  async function lost(): Promise<void> {
    while (watching) {
      try {
        client = await connect();
        return;
      } catch (error) {
        if (!isBusy(error)) {
          watching = false;
          onEnd();
        } else await delay(TRY_AGAIN_MS);
      }
    }
  }

  return {
    async stop(): Promise<void> {
      watching = false;
      await client.end();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === CANNOT_CONNECT_NOW;
}
