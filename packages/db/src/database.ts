import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient, type Prisma } from "./generated/client.ts";
import { sqlState } from "./sql-state.ts";

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
  const prisma = new PrismaClient({
    adapter: new PrismaPg(
      {
        connectionString: options.url,
        max: options.poolSize,
        connectionTimeoutMillis: options.queryTimeoutMs,
        options: Object.entries(settings)
          .map(([name, value]) => `-c ${name}=${value}`)
          .join(" "),
      },
      { statementNameGenerator: statementNames() },
    ),
  });
  const limits = { timeout: options.transactionTimeoutMs, maxWait: options.queryTimeoutMs };

  async function watched<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (sqlState(error) === QUERY_CANCELED) options.onQueryTimeout();
      throw error;
    }
  }

  return {
    tenantTransaction: (tenantId, fn) =>
      watched(
        prisma.$transaction(async (tx) => {
          await tx.$executeRaw`SELECT set_config('role', 'gateway_tenant', true), set_config('app.tenant_id', ${tenantId}, true)`;
          return fn(tx);
        }, limits),
      ),
    serviceTransaction: (fn) => watched(prisma.$transaction(fn, limits)),
    service: prisma.$extends({
      query: { $allOperations: ({ args, query }) => watched(query(args)) },
    }) as unknown as PrismaClient,
    connect: async () => {
      await prisma.$connect();
      await prisma.$queryRaw`SELECT 1`;
    },
    close: () => prisma.$disconnect(),
  };
}

/** More texts than the code has statements: past it they are made up at run time, and keeping them would fill the server. */
const MAX_NAMED_STATEMENTS = 500;

/**
 * Names statements, which makes them prepared: the server plans each once per connection, and with
 * row-level security planning takes longer than running. BEGIN and COMMIT need no plan.
 */
function statementNames(): (query: { sql: string; args: unknown[] }) => string {
  const names = new Map<string, string>();
  return ({ sql, args }) => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (args.length === 0 || names.size === MAX_NAMED_STATEMENTS) return "";
    const name = `s${names.size}`;
    names.set(sql, name);
    return name;
  };
}
