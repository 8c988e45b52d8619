import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient, type Prisma } from "./generated/client.ts";
import { asTenant, beginAsTenant, TenantClient } from "./tenant-client.ts";

/** An open transaction. The root client has `$disconnect` and so cannot be passed as one. */
export type Tx = Prisma.TransactionClient & { readonly $disconnect?: never };

export interface DatabaseOptions {
  /** `postgresql://…`; its user must be a member of the roles gateway_tenant and gateway_service. */
  url: string;
  poolSize: number;
  /** Longest one statement may run, enforced by the server. */
  queryTimeoutMs: number;
  /** Longest a transaction may stay open. */
  transactionTimeoutMs: number;
  /** Called when the server cancelled a statement that ran too long. */
  onQueryTimeout: () => void;
}

export interface Database {
  /**
   * Runs `fn` in one transaction that sees and writes the rows of one tenant only: the role is
   * gateway_tenant, which row-level security binds and which cannot bypass it.
   */
  tenantTransaction<T>(tenantId: string, fn: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * One SELECT in a transaction like that of `tenantTransaction`, in one round trip.
   *
   * @param query its columns may be of the types text, boolean, integer, jsonb and arrays of text
   */
  tenantRead<Row extends pg.QueryResultRow>(tenantId: string, query: Prisma.Sql): Promise<Row[]>;
  /** Runs `fn` in one transaction above tenants: workers, alerts, number look-up. */
  serviceTransaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** Single statements above tenants, each its own transaction. */
  readonly service: Omit<PrismaClient, "$transaction">;
  /**
   * Loads what the first statement needs, so that the first webhook does not wait for it. Without it
   * the pool connects by itself, as it does again after the database was away.
   *
   * @throws when the database does not answer; it may be called again
   */
  connect(): Promise<void>;
  close(): Promise<void>;
}

const QUERY_CANCELED = "57014"; // https://www.postgresql.org/docs/current/errcodes-appendix.html

/**
 * Opens the pool. Every connection starts as the role gateway_service, so that nothing ever runs
 * as the table owner or a superuser, whoever logs in.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const settings = {
    role: "gateway_service",
    statement_timeout: options.queryTimeoutMs,
    idle_in_transaction_session_timeout: options.transactionTimeoutMs,
  };
  const pool = new pg.Pool({
    Client: TenantClient,
    // Lets `tenantRead` send its statements without waiting for each other's answers.
    pipeline: true,
    connectionString: options.url,
    max: options.poolSize,
    connectionTimeoutMillis: options.queryTimeoutMs,
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
  });
  // The pool replaces an idle connection that broke; unheard, the event would end the process.
  pool.on("error", ignore);
  pool.on("connect", ({ connection }) => {
    connection.on("errorMessage", ({ code }: pg.DatabaseError) => {
      if (code === QUERY_CANCELED) options.onQueryTimeout();
    });
  });
  const nameOf = statementNames();
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, {
      statementNameGenerator: ({ sql, args }) => nameOf(sql, args.length),
    }),
  });
  const limits = { timeout: options.transactionTimeoutMs, maxWait: options.queryTimeoutMs };

  return {
    tenantTransaction: (tenantId, fn) =>
      asTenant(tenantId, (assertBegun) =>
        prisma.$transaction((tx) => {
          assertBegun();
          return fn(tx);
        }, limits),
      ),
    tenantRead: (tenantId, { text, values }) =>
      readAsTenant(pool, tenantId, { name: nameOf(text, values.length), text, values }),
    serviceTransaction: (fn) => prisma.$transaction(fn, limits),
    service: prisma,
    connect: async () => {
      await prisma.$connect();
      await prisma.$queryRaw`SELECT 1`;
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** More texts than the code has statements: past it they are made up at run time, and keeping them would fill the server. */
const MAX_NAMED_STATEMENTS = 500;

/**
 * Names statements, which makes them prepared: the server plans each once per connection, and with
 * row-level security planning takes longer than running. BEGIN and COMMIT need no plan.
 */
function statementNames(): (sql: string, parameters: number) => string {
  const names = new Map<string, string>();
  return (sql, parameters) => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (parameters === 0 || names.size === MAX_NAMED_STATEMENTS) return "";
    const name = `s${names.size}`;
    names.set(sql, name);
    return name;
  };
}

/**
 * Sends all of a transaction at once. Should it not begin, the SELECT behind it fails or has read as
 * somebody else: then its rows are thrown away, and the connection with them.
 */
async function readAsTenant<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  tenantId: string,
  select: pg.QueryConfig,
): Promise<Row[]> {
  const client = await pool.connect();
  // A connection that breaks fails the queries on it; unheard, its event would end the process.
  client.on("error", ignore);
  const { stream } = client.connection;
  stream.cork();
  const answers = [
    client.query(beginAsTenant(tenantId)),
    client.query<Row>(select),
    client.query("COMMIT"),
  ] as const;
  stream.uncork();
  try {
    const [, { rows }] = await Promise.all(answers);
    client.release();
    return rows;
  } catch (error) {
    await Promise.allSettled(answers);
    client.release(true);
    throw error;
  } finally {
    client.off("error", ignore);
  }
}

function ignore(): void {}
