import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbeddedPostgres } from "@jobrun/db/embedded";
import { demoTenant, migrate, seed } from "@jobrun/db/migrate";
import { databaseOn } from "@jobrun/db/testing";
import { whatsAppNumber, type Faults } from "@jobrun/simulator";
import pg from "pg";
import { Texts } from "./load.ts";
import { WhatsAppTexts } from "./whatsapp-texts.ts";
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
  /** Texts that are stored and not answered, and replies that are stored and not sent. */
  unsettled(): Promise<number>;
  /** Resolves when every text is answered and every reply is sent. */
  quiet(): Promise<void>;
  /** What the first process uses now, bytes. */
  memory(): Promise<NodeJS.MemoryUsage>;
  /** Lets them finish what is running; resolves when the processes are gone. */
  stop(): Promise<void>;
}

interface StartOptions {
  processes?: number;
  /** Configuration besides that of every bench. */
  env?: Record<string, string>;
  /** Fills the database before a process connects to it. */
  fill?: (query: Subject["query"]) => Promise<void>;
}

export interface World {
  texts: Texts;
  whatsAppTexts: WhatsAppTexts;
  /** What the doubles do from now on. */
  setFaults(faults: Partial<Faults>): Promise<void>;
  /** Has the double of Meta report to this subject what becomes of its messages. */
  reportTo(subject: Subject): Promise<void>;
  /** How many texts the doubles accepted for people, from whichever subject. */
  accepted(): Promise<number>;
  start(name: string, file: URL, options?: StartOptions): Promise<Subject>;
  /** A process that knows the doubles and has no database. */
  startWithoutDatabase(file: URL): Promise<Server>;
  close(): Promise<void>;
}

const TEMPLATE = "bench_template";

/** No customer here writes too much. */
const LIMITS = {
  conversationRate: { max: 1_000_000, windowSeconds: 1 },
  senderRate: { max: 1_000_000, windowSeconds: 1 },
};

/** PostgreSQL with its usual durability, the doubles in a process of their own, and a key ring. */
export async function createWorld(say: (line: string) => void): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "jobrun-bench-"));
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: say });
  const owner = quietPool(postgres.url);
  await owner.query(`CREATE DATABASE ${TEMPLATE}`);
  const template = databaseOn(postgres.url, TEMPLATE);
  await migrate(template);
  await seed(template, whatsAppNumber.phoneNumberId);
  await lift(template);

  const secret = () => randomBytes(16).toString("hex");
  const account = {
    TWILIO_ACCOUNT_SID: `AC${secret()}`,
    TWILIO_AUTH_TOKEN: secret(),
    OPENAI_API_KEY: `sk-bench-${secret()}`,
    WHATSAPP_APP_SECRET: secret(),
    WHATSAPP_ACCESS_TOKEN: secret(),
    WHATSAPP_VERIFY_TOKEN: secret(),
    WHATSAPP_PHONE_NUMBER_ID: whatsAppNumber.phoneNumberId,
  };
  const simulator = await launch(new URL("./simulator.ts", import.meta.url), account);
  const doubles = {
    ...account,
    TWILIO_API_BASE_URL: simulator.url,
    WHATSAPP_API_URL: simulator.url,
  };
  const put = async (path: string, body: unknown) => {
    const response = await fetch(simulator.url + path, {
      method: "PUT",
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the simulator refused: ${await response.text()}`);
  };
  const setFaults = (faults: Partial<Faults>) => put("/admin/faults", faults);
  const lengthOf = async (path: string) =>
    ((await (await fetch(simulator.url + path)).json()) as unknown[]).length;
  await setFaults({ receipts: true, metaReceipts: true });

  return {
    texts: new Texts({
      accountSid: account.TWILIO_ACCOUNT_SID,
      authToken: account.TWILIO_AUTH_TOKEN,
    }),
    whatsAppTexts: new WhatsAppTexts({ appSecret: account.WHATSAPP_APP_SECRET }),
    setFaults,
    reportTo: ({ url }) => put("/admin/whatsapp/webhook", { url: url + WhatsAppTexts.path }),
    accepted: async () =>
      (await lengthOf("/admin/sent")) + (await lengthOf("/admin/whatsapp/sent")),
    startWithoutDatabase: (file) => launch(file, doubles),
    start: async (name, file, { processes = 1, env: special = {}, fill } = {}) => {
      await owner.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
      const url = databaseOn(postgres.url, name);
      if (fill !== undefined) await withQuery(url, fill);
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
          ...special,
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

/** Without anything being settled. */
const QUIET_LIMIT_MS = 60_000;

function subject(name: string, servers: Server[], databaseUrl: string): Subject {
  const pool = quietPool(databaseUrl);
  const query = queryOn(pool);
  const count = async (condition: string) => {
    const rows = await query<{ count: number }>(
      `SELECT count(*)::int AS count FROM "Message" WHERE ${condition}`,
    );
    return rows[0]?.count ?? Number.NaN;
  };
  // Each has an index of its own.
  const unsettled = () => count(`"status" = 'DEFERRED' OR "status" IN ('QUEUED', 'SENDING')`);
  const [first] = servers;
  if (first === undefined) throw new Error(`${name} has no process`);
  return {
    name,
    url: first.url,
    urls: servers.map(({ url }) => url),
    query,
    stored: () => count(`"direction" = 'INBOUND'`),
    unsettled,
    quiet: async () => {
      let least = Number.POSITIVE_INFINITY;
      let limit = 0;
      for (let left = await unsettled(); left > 0; left = await unsettled()) {
        if (left < least) limit = Date.now() + QUIET_LIMIT_MS;
        least = Math.min(least, left);
        if (Date.now() > limit) throw new Error(`${name}: ${left} texts stay unanswered or unsent`);
        await sleep(100);
      }
    },
    memory: () => first.memory(),
    stop: async () => {
      await pool.end();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** Takes the limits of the demo tenant away: none shall be what is measured. */
async function lift(databaseUrl: string): Promise<void> {
  await withQuery(databaseUrl, async (query) => {
    await query(`UPDATE "Client" SET "plan" = 'enterprise', "limits" = $1::jsonb`, [
      JSON.stringify(LIMITS),
    ]);
  });
}

async function withQuery(
  databaseUrl: string,
  work: (query: Subject["query"]) => Promise<void>,
): Promise<void> {
  const pool = quietPool(databaseUrl);
  try {
    await work(queryOn(pool));
  } finally {
    await pool.end();
  }
}

function queryOn(pool: pg.Pool): Subject["query"] {
  return async (text, values) => (await pool.query(text, values)).rows as never;
}

/** An idle connection that ends with the server at the end of an interrupted bench is no error. */
function quietPool(connectionString: string): pg.Pool {
  return new pg.Pool({ connectionString, max: 1 }).on("error", () => {});
}
