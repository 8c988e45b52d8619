import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { demoTenant, migrate, seed } from "@jobrun/db/migrate";
import { databaseOn } from "@jobrun/db/testing";
import type { Faults, SentMessage } from "@jobrun/simulator";
import pg from "pg";
import { Texts } from "./load.ts";
import { freePort, launch, type Server } from "./processes.ts";

/** One or several processes under load, with a migrated and seeded database of their own. */
export interface Subject {
  name: string;
  /** Of the first process. */
  url: string;
  /** Of all of them. */
  urls: string[];
  /** On its database, as an owner whom row-level security does not bind. */
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>;
  /** Inbound texts that are stored. */
  stored(): Promise<number>;
  /** Replies that are stored and not sent. */
  unsent(): Promise<number>;
  /** Resolves when every reply is sent. */
  quiet(): Promise<void>;
  /** Lets them finish what is running; resolves when the processes are gone. */
  stop(): Promise<void>;
}

export interface World {
  texts: Texts;
  /** What the doubles do from now on. */
  setFaults(faults: Partial<Faults>): Promise<void>;
  /** All that the double of Twilio accepted for people, from whichever subject. */
  accepted(): Promise<SentMessage[]>;
  start(name: string, file: URL, processes?: number): Promise<Subject>;
  /** A process that knows the doubles and has no database. */
  startWithoutDatabase(file: URL): Promise<Server>;
  close(): Promise<void>;
}

const TEMPLATE = "bench_template";

/** PostgreSQL with its usual durability, the doubles in a process of their own, and a key ring. */
export async function createWorld(say: (line: string) => void): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "jobrun-bench-"));
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: say });
  const owner = quietPool(postgres.url);
  await owner.query(`CREATE DATABASE ${TEMPLATE}`);
  await migrate(databaseOn(postgres.url, TEMPLATE));
  await seed(databaseOn(postgres.url, TEMPLATE));

  const account = {
    TWILIO_ACCOUNT_SID: `AC${randomBytes(16).toString("hex")}`,
    TWILIO_AUTH_TOKEN: randomBytes(16).toString("hex"),
    OPENAI_API_KEY: `sk-bench-${randomBytes(16).toString("hex")}`,
  };
  const simulator = await launch(new URL("./simulator.ts", import.meta.url), account);
  const doubles = { ...account, TWILIO_API_BASE_URL: simulator.url };
  const setFaults = async (faults: Partial<Faults>) => {
    const response = await fetch(`${simulator.url}/admin/faults`, {
      method: "PUT",
      body: JSON.stringify(faults),
    });
    if (!response.ok) throw new Error(`the simulator refused: ${await response.text()}`);
  };
  await setFaults({ receipts: true });

  return {
    texts: new Texts({
      accountSid: account.TWILIO_ACCOUNT_SID,
      authToken: account.TWILIO_AUTH_TOKEN,
    }),
    setFaults,
    accepted: async () =>
      (await (await fetch(`${simulator.url}/admin/sent`)).json()) as SentMessage[],
    startWithoutDatabase: (file) => launch(file, doubles),
    start: async (name, file, processes = 1) => {
      await owner.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
      const url = databaseOn(postgres.url, name);
      const servers: Server[] = [];
      while (servers.length < processes) {
        const port = String(await freePort());
        // Signatures are made over it, and receipts come back to it.
        const address = `http://127.0.0.1:${port}`;
        const env = {
          ...doubles,
          NODE_ENV: "production",
          JWT_SECRET: randomBytes(32).toString("hex"),
          HOST: "127.0.0.1",
          PORT: port,
          PUBLIC_BASE_URL: address,
          DATABASE_URL: url,
          DATABASE_POOL_SIZE: "10",
          TWILIO_PHONE_NUMBER: demoTenant.phoneNumber,
          // No sender's own limit shall be what is measured.
          TWILIO_SEGMENTS_PER_SECOND: "1000",
          OPENAI_BASE_URL: `${simulator.url}/openai/v1`,
          WEBHOOK_SIGNATURES: "required",
          LOG_LEVEL: "info",
          LOG_PRETTY: "false",
        };
        servers.push({ ...(await launch(file, env)), url: address });
      }
      return subject(name, servers, url);
    },
    close: async () => {
      await simulator.stop();
      await owner.end();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const QUIET_LIMIT_MS = 60_000;

function subject(name: string, servers: Server[], databaseUrl: string): Subject {
  const pool = quietPool(databaseUrl);
  const query: Subject["query"] = async (text, values = []) =>
    (await pool.query(text, values)).rows as never;
  const count = async (condition: string) => {
    const rows = await query<{ count: number }>(
      `SELECT count(*)::int AS count FROM "Message" WHERE ${condition}`,
    );
    return rows[0]?.count ?? Number.NaN;
  };
  const unsent = () => count(`"status" IN ('QUEUED', 'SENDING')`);
  return {
    name,
    url: servers[0]?.url ?? "",
    urls: servers.map(({ url }) => url),
    query,
    stored: () => count(`"direction" = 'INBOUND'`),
    unsent,
    quiet: async () => {
      const limit = Date.now() + QUIET_LIMIT_MS;
      while ((await unsent()) > 0) {
        if (Date.now() > limit) throw new Error("the outbox does not become empty");
        await sleep(100);
      }
    },
    stop: async () => {
      await pool.end();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** An idle connection that ends with the server at the end of an interrupted bench is no error. */
function quietPool(connectionString: string): pg.Pool {
  return new pg.Pool({ connectionString, max: 1 }).on("error", () => {});
}
