import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { newId, type Database } from "@jobrun/db";
import { AlertService } from "../src/alerts/alert-service.ts";
import type { AlertConfig } from "../src/alerts/delivery.ts";
import { createEvents } from "../src/telemetry/events.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { openTestDatabase, type OpenTestDatabase } from "./open-test-database.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const FOUNDER = "+447700900999";
const OPS = "+447700900888";

/** With texts as well as with what the test switches on. */
export const withSms = { founderPhone: FOUNDER, opsNumber: OPS };

type Post = Record<string, unknown>;

/** A database, a clock, and doubles of the services the founder is told by. */
export class AlertWorld {
  /** Milliseconds since 1970; tests move it. */
  clock = 0;
  log: Post[] = [];
  /** What the webhook double and the PagerDuty double received. */
  posts: Post[] = [];
  pages: Post[] = [];
  /** What both answer next; when empty, 200 and 202. "hangs" never answers. */
  answers: (number | "hangs")[] = [];
  webhookUrl = "";
  pagerDuty = { routingKey: "R0UT1NGKEY", url: "" };
  #database!: OpenTestDatabase;
  readonly #server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => this.#answer(request.url ?? "", JSON.parse(body) as Post, response));
  });

  get db(): Database {
    return this.#database.db;
  }

  async start(): Promise<void> {
    this.#database = await openTestDatabase();
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    const base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    this.webhookUrl = `${base}/hook`;
    this.pagerDuty.url = `${base}/v2/enqueue`;
  }

  /** Before each test. */
  async reset(): Promise<void> {
    this.clock = Date.parse("2026-11-01T09:00:00Z");
    [this.log, this.posts, this.pages, this.answers] = [[], [], [], []];
    await this.#database.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
    await this.#database.close();
  }

  /** Another pool. The caller closes it. */
  open(url?: string): Database {
    return this.#database.open(url);
  }

  /** Told by the webhook alone, unless `config` says otherwise. */
  service(config: Partial<AlertConfig> = {}, database = this.db): AlertService {
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.log.push(JSON.parse(chunk.toString()) as Post);
        done();
      },
    });
    const logger = createLogger({ level: "info", pretty: false, stream });
    return new AlertService({
      db: database,
      logger,
      events: createEvents({ logger, strict: true }),
      metrics: createMetrics(),
      config: {
        disabled: false,
        founderPhone: null,
        opsNumber: null,
        webhookUrl: this.webhookUrl,
        pagerDuty: null,
        ...config,
      },
      now: () => new Date(this.clock),
    });
  }

  /** The texts in the outbox. */
  texts() {
    return this.db.service.message.findMany({ orderBy: { id: "asc" } });
  }

  /** Attempts to tell the founder, as "channel STATE". */
  async deliveries(): Promise<string[]> {
    const rows = await this.db.service.alertDelivery.findMany({ orderBy: { id: "asc" } });
    return rows.map(({ channel, state }) => `${channel} ${state}`);
  }

  events(name: string): Post[] {
    return this.log.filter(({ event }) => event === name);
  }

  async storeMessage(data: {
    status: "DEAD" | "UNKNOWN" | "DEFERRED";
    kind?: string;
    agoMs?: number;
  }): Promise<void> {
    const at = new Date(this.clock - (data.agoMs ?? 0));
    await this.db.service.message.create({
      data: {
        id: newId(),
        direction: data.status === "DEFERRED" ? "INBOUND" : "OUTBOUND",
        channel: "sms",
        kind: data.kind ?? "reply",
        sender: OPS,
        recipient: FOUNDER,
        body: "x",
        status: data.status,
        createdAt: at,
        unknownSince: data.status === "UNKNOWN" ? at : null,
      },
    });
  }

  #answer(path: string, body: Post, response: ServerResponse): void {
    const isPage = path === "/v2/enqueue";
    (isPage ? this.pages : this.posts).push(body);
    const answer = this.answers.shift() ?? (isPage ? 202 : 200);
    if (answer !== "hangs") response.writeHead(answer).end();
  }
}
