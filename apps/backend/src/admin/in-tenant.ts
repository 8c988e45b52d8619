import { Prisma, type Tx } from "@jobrun/db";
import { notFound } from "./admin-error.ts";
import type { Context } from "./route.ts";

/**
 * Runs `fn` in a transaction that sees the rows of this tenant alone.
 *
 * @throws AdminError not_found, also for the admin of another tenant
 */
export function inTenant<T>(
  { deps, principal }: Context,
  tenantId: string,
  fn: (tx: Tx) => Promise<T>,
): Promise<T> {
  if (principal.role === "admin" && principal.tenantId !== tenantId) throw notFound("tenant");
  return deps.db.tenantTransaction(tenantId, async (tx) => {
    const [tenant] = await tx.$queryRaw<
      unknown[]
    >`SELECT 1 FROM "Client" WHERE "id" = ${tenantId}::uuid`;
    if (tenant === undefined) throw notFound("tenant");
    return fn(tx);
  });
}

/** The tables whose rows a path may name without their tenant, and what a row is called. */
const names = { Conversation: "conversation", Job: "job", MediaFile: "file" } as const;

/**
 * The same for a row whose tenant the path does not name. An admin looks among their own rows only.
 *
 * @throws AdminError not_found
 */
export async function inTenantOf<T>(
  context: Context,
  table: keyof typeof names,
  id: string,
  fn: (tx: Tx, tenantId: string) => Promise<T>,
): Promise<T> {
  const { deps, principal } = context;
  if (principal.role === "admin")
    return inTenant(context, principal.tenantId, (tx) => fn(tx, principal.tenantId));
  const [row] = await deps.db.service.$queryRaw<{ tenantId: string }[]>`
    SELECT "clientId"::text AS "tenantId" FROM ${Prisma.raw(`"${table}"`)} WHERE "id" = ${id}::uuid`;
  if (row === undefined) throw notFound(names[table]);
  return inTenant(context, row.tenantId, (tx) => fn(tx, row.tenantId));
}
