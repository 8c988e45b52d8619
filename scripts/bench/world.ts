import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { demoTenant, migrate, seed } from "@jobrun/db/migrate";
import { databaseOn } from "@jobrun/db/testing";
import pg from "pg";
import { Texts } from "./load.ts";
import { launch, type Server } from "./processes.ts";

/** A server under load, with a migrated and seeded database of its own. */
export interface Subject extends Server {
  name: string;
  /** Inbound texts that are stored. */
  stored(): Promise<number>;
  /** Replies that are stored and not sent. */
  unsent(): Promise<number>;
  /** Resolves when every reply is sent. */
  quiet(): Promise<void>;
}

export interface World {
  texts: Texts;
  /** Milliseconds the model takes to answer, from now on. */
  setModelDelay(modelDelayMs: number): Promise<void>;
  start(name: string, file: URL): Promise<Subject>;
  close(): Promise<void>;
}

const TEMPLATE = "bench_template";
// Signed over this address; where the servers really listen does not matter to a signature.
const PUBLIC_URL = "https://gateway.example.com";

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
  const setFaults = async (faults: object) => {
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
      publicUrl: PUBLIC_URL,
    }),
    setModelDelay: (modelDelayMs) => setFaults({ modelDelayMs }),
    start: async (name, file) => {
      await owner.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
      const url = databaseOn(postgres.url, name);
      const server = await launch(file, {
        ...account,
        NODE_ENV: "production",
        HOST: "127.0.0.1",
        PORT: "0",
        PUBLIC_BASE_URL: PUBLIC_URL,
        DATABASE_URL: url,
        DATABASE_POOL_SIZE: "10",
        TWILIO_API_BASE_URL: simulator.url,
        TWILIO_PHONE_NUMBER: demoTenant.phoneNumber,
        OPENAI_BASE_URL: `${simulator.url}/openai/v1`,
        WEBHOOK_SIGNATURES: "required",
        LOG_LEVEL: "info",
        LOG_PRETTY: "false",
      });
      return subject(name, server, url);
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

function subject(name: string, server: Server, databaseUrl: string): Subject {
  const pool = quietPool(databaseUrl);
  const count = async (condition: string) => {
    const { rows } = await pool.query(
      `SELECT count(*)::int AS count FROM "Message" WHERE ${condition}`,
    );
    return (rows[0] as { count: number }).count;
  };
  const unsent = () => count(`"status" IN ('QUEUED', 'SENDING')`);
  return {
    name,
    url: server.url,
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
      await server.stop();
    },
  };
}

/** An idle connection that ends with the server at the end of an interrupted bench is no error. */
function quietPool(connectionString: string): pg.Pool {
  return new pg.Pool({ connectionString, max: 1 }).on("error", () => {});
}
