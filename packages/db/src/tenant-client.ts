import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";

interface TenantScope {
  readonly tenantId: string;
  /** The transaction has begun as this tenant. */
  begun: boolean;
}

const scopes = new AsyncLocalStorage<TenantScope>();

/**
 * Runs `begin`, which begins a transaction on a `TenantClient`, such that it begins as the tenant:
 * BEGIN, the role and the tenant's key are one message to the server instead of two.
 *
 * @param begin gets a function that throws unless that has happened; call it before the first statement
 */
export function asTenant<T>(
  tenantId: string,
  begin: (assertBegun: () => void) => Promise<T>,
): Promise<T> {
  const scope: TenantScope = { tenantId, begun: false };
  const assertBegun = () => {
    // Without it, row-level security would be that of the service: it sees all tenants.
    if (!scope.begun) throw new Error("the transaction did not begin as its tenant");
  };
  return scopes.run(scope, begin, assertBegun);
}

/** What begins a transaction in which only the rows of one tenant exist. */
export function beginAsTenant(tenantId: string): string {
  return `BEGIN; SELECT set_config('role', 'gateway_tenant', true), set_config('app.tenant_id', ${pg.escapeLiteral(tenantId)}, true)`;
}

/** A connection that knows whose transaction begins: see `asTenant`. */
export class TenantClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const send = this.query.bind(this) as (...args: unknown[]) => unknown;
    this.query = ((query: unknown, ...rest: unknown[]) => {
      const scope = isBegin(query) ? scopes.getStore() : undefined;
      if (scope === undefined || scope.begun) return send(query, ...rest);
      scope.begun = true;
      return send(beginAsTenant(scope.tenantId), ...rest);
    }) as typeof this.query;
  }
}

/** How Prisma's driver adapter begins a transaction. */
function isBegin(query: unknown): boolean {
  return typeof query === "object" && query !== null && "text" in query && query.text === "BEGIN";
}
