import pg from "pg";
import { newId } from "./new-id.ts";

export interface WakeChannelOptions {
  /** `postgresql://…` */
  url: string;
  /** Letters and underscores. */
  name: string;
  /** Another process called `notify`; also after the connection was away, since calls may have been missed. */
  onWake: () => void;
  /** The connection is lost and will be opened again; said once until it is back. */
  onLost: (error: Error) => void;
}

/** Tells the other processes on the same database that there is work. A lost call costs one poll interval. */
export interface WakeChannel {
  /** Never throws and never waits; calls close together travel as one. */
  notify(): void;
  close(): Promise<void>;
}

const RECONNECT_MS = 1000;
/** Who calls has begun with the work itself; the others may as well hear of several pieces at once. */
const GATHER_MS = 20;

/** Opens a connection of its own that listens for as long as the process runs (PostgreSQL LISTEN/NOTIFY). */
export function openWakeChannel(options: WakeChannelOptions): WakeChannel {
  const self = newId();
  let client: pg.Client | null = null;
  let lost = false;
  let closed = false;
  let notifying: NodeJS.Timeout | undefined;
  let again = false;
  let reconnecting: NodeJS.Timeout | undefined;
  let opening: Promise<void> = Promise.resolve();

  async function open(): Promise<void> {
    const next = new pg.Client({
      connectionString: options.url,
      options: "-c role=gateway_service",
      keepAlive: true,
    });
    let failed = false;
    const fail = (reason: Error) => {
      if (failed) return;
      failed = true;
      client = null;
      void next.end().catch(() => {});
      if (closed) return;
      if (!lost) options.onLost(reason);
      lost = true;
      reconnecting = setTimeout(() => (opening = open()), RECONNECT_MS);
    };
    next.on("error", fail);
    next.on("end", () => fail(new Error("the connection was closed")));
    next.on("notification", ({ payload }) => {
      if (payload !== self) options.onWake();
    });
    try {
      await next.connect();
      await next.query(`LISTEN ${options.name}`);
      client = next;
      if (lost) options.onWake();
      lost = false;
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async function send(): Promise<void> {
    // A notification alone writes nothing to disk, unlike one inside the transaction it is about, which
    // would also make all commits wait for each other.
    await client?.query("SELECT pg_notify($1, $2)", [options.name, self]).catch(() => {});
    notifying = undefined;
    if (!again) return;
    again = false;
    notify();
  }

  function notify(): void {
    if (notifying === undefined) notifying = setTimeout(() => void send(), GATHER_MS);
    else again = true;
  }

  opening = open();
  return {
    notify,
    close: async () => {
      closed = true;
      clearTimeout(notifying);
      clearTimeout(reconnecting);
      await opening;
      await client?.end();
    },
  };
}
