import { newId, type Tx } from "@jobrun/db";
import type { Context } from "./route.ts";

export interface AuditedChange {
  /** Null for what belongs to no tenant */
  tenantId: string | null;
  action: `${string}.${string}`;
  /** Its id, or a number of ours */
  target: string;
  /** Nobody's personal data: of such fields the name alone */
  changes?: Record<string, unknown>;
}

/** Writes down who changed what, in the transaction that changes it: there is no one without the other. */
export async function audit(
  tx: Tx,
  { principal, requestId }: Context,
  { tenantId, action, target, changes = {} }: AuditedChange,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "AuditEntry" ("id", "clientId", "actor", "role", "action", "target", "changes", "requestId")
    VALUES (${newId()}::uuid, ${tenantId}::uuid, ${principal.sub}, ${principal.role}, ${action}, ${target},
      ${JSON.stringify(changes)}::jsonb, ${requestId})`;
}
