import { AssistantError } from "../assistant/assistant.ts";

interface Tenant {
  /** Rounds between `open` and `close` */
  open: number;
  thinking: number;
  /** Rounds that thought and have ended, by which a view may be older than what is left */
  ended: number;
  waiting: Set<() => void>;
}

/** One round of a turn. */
export interface Round {
  /**
   * Waits while as many think as there are answers left.
   *
   * @param remaining answers left when the view was read
   * @returns false when what is left must be read again before the assistant is asked
   * @throws AssistantError timeout
   */
  enter(remaining: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

/**
 * Lets no more turns of a tenant think at once than answers are left: so none is paid for and then refused
 * by the commit, and the day's tokens, which are known only once they are spent, are not spent many times
 * over. Of one process. Between processes the commit decides about answers; about tokens nobody does.
 */
export class QuotaGate {
  readonly #tenants = new Map<string, Tenant>();

  /** To be called before the view is read, and closed when the round has ended. */
  open(tenantId: string): Round {
    const tenant = this.#tenants.get(tenantId) ?? newTenant();
    this.#tenants.set(tenantId, tenant);
    tenant.open += 1;
    const endedBefore = tenant.ended;
    let thinks = false;
    return {
      enter: async (remaining, signal) => {
        if (signal.aborted) throw outOfTime();
        const left = remaining - (tenant.ended - endedBefore) - tenant.thinking;
        if (remaining === Infinity || left > 0) {
          thinks = true;
          tenant.thinking += 1;
          return true;
        }
        if (tenant.thinking > 0) await turnOf(tenant, signal);
        return false;
      },
      close: () => {
        tenant.open -= 1;
        if (thinks) endOf(tenant);
        if (tenant.open === 0) this.#tenants.delete(tenantId);
      },
    };
  }
}

function newTenant(): Tenant {
  return { open: 0, thinking: 0, ended: 0, waiting: new Set() };
}

/** One ends, one may look again; when nobody thinks any more, all may: there is nothing left to wait for. */
function endOf(tenant: Tenant): void {
  tenant.thinking -= 1;
  tenant.ended += 1;
  const [next] = tenant.waiting;
  for (const wake of tenant.thinking > 0 && next !== undefined ? [next] : [...tenant.waiting])
    wake();
}

async function turnOf(tenant: Tenant, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(outOfTime());
  tenant.waiting.add(resolve);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    tenant.waiting.delete(resolve);
  }
}

function outOfTime(): AssistantError {
  return new AssistantError("timeout", "no time left to wait for those who use up the quota");
}
