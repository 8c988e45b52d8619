import { Prisma, type Tx } from "@jobrun/db";

/** How long a released number is given to nobody: its callers still think that it is somebody else's. */
const REST_DAYS = 30;

/** How many numbers may be given to new tenants, and whether anybody can become one. */
export interface PoolState {
  available: number;
  /** There is a number to sign up at. Without one, an empty pool is what the founder wants. */
  signUpsOpen: boolean;
}

/**
 * The condition under which a row of "TwilioNumberPool" may be given to a tenant.
 *
 * @param excluded E.164, the gateway's own senders: never given away, whatever their row says
 */
export function isAvailable(excluded: readonly string[]): Prisma.Sql {
  return Prisma.sql`("role" = 'SYSTEM' AND NOT "reserved"
    AND ("releasedAt" IS NULL OR "releasedAt" <= now() - make_interval(days => ${REST_DAYS}))
    AND "phoneNumber" <> ALL(${excluded}::text[]))`;
}

/** @param statements above tenants: a single statement or a transaction */
export async function poolState(
  statements: Pick<Tx, "$queryRaw">,
  excluded: readonly string[],
): Promise<PoolState> {
  const [row] = await statements.$queryRaw<PoolState[]>`
    SELECT count(*) FILTER (WHERE ${isAvailable(excluded)})::int AS "available",
      COALESCE(bool_or("role" = 'ONBOARDING'), false) AS "signUpsOpen"
    FROM "TwilioNumberPool"`;
  return row ?? { available: 0, signUpsOpen: false };
}
