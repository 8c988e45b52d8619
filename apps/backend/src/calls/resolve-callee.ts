import type { Database } from "@jobrun/db";
import { within } from "../alerts/within.ts";
import { localeOf, type Locale } from "../texts/fill.ts";
import type { CallHandling } from "./is-missed.ts";

/** A business that was called. */
export interface CalledTenant {
  id: string;
  name: string;
  locale: Locale;
  /** E.164 */
  operatorPhone: string;
}

/** What the called number is for. */
export type Callee =
  | {
      role: "OPERATIONAL";
      tenant: CalledTenant;
      callHandling: CallHandling;
      /** The tenant's own people, or a number of ours */
      callerIsOurs: boolean;
    }
  | { role: "ONBOARDING" }
  | {
      role: "SYSTEM";
      /** The number is ours */
      isKnown: boolean;
      /** It says that it is a tenant's, and has none */
      lacksTenant: boolean;
      callerIsOurs: boolean;
    };

interface Row {
  role: "OPERATIONAL" | "ONBOARDING" | "SYSTEM" | null;
  callHandling: CallHandling | null;
  tenantId: string | null;
  name: string | null;
  locale: string | null;
  operatorPhone: string | null;
  callerIsOurs: boolean;
}

/** A caller listens to nothing until this is known; the fail-safe must still fit into Twilio's 15 s. */
const LIMIT_MS = 3_000;

/**
 * What a called number is for: one round trip.
 *
 * @param called E.164. A number that is not ours is SYSTEM.
 * @param caller E.164 or any other address
 * @throws when the database does not answer within 3 s
 */
export async function resolveCallee(db: Database, called: string, caller: string): Promise<Callee> {
  const [row] = await within(
    LIMIT_MS,
    db.service.$queryRaw<Row[]>`
      SELECT n."role"::text AS "role", n."callHandling"::text AS "callHandling", t."id" AS "tenantId", t."name", t."locale",
             t."operatorPhone",
             COALESCE(${caller} IN (t."operatorPhone", t."secondContactPhone"), false)
               OR EXISTS (SELECT 1 FROM "TwilioNumberPool" WHERE "phoneNumber" = ${caller}) AS "callerIsOurs"
      FROM (SELECT 1) AS one LEFT JOIN "TwilioNumberPool" n ON n."phoneNumber" = ${called}
        LEFT JOIN "Client" t ON t."id" = n."clientId"`,
  );
  if (row?.role === "ONBOARDING") return { role: "ONBOARDING" };
  const { tenantId, name, operatorPhone } = row ?? {};
  if (row?.role === "OPERATIONAL" && tenantId && name && operatorPhone) {
    return {
      role: "OPERATIONAL",
      tenant: { id: tenantId, name, locale: localeOf(row.locale ?? "en"), operatorPhone },
      callHandling: row.callHandling ?? "NOTICE",
      callerIsOurs: row.callerIsOurs,
    };
  }
  return {
    role: "SYSTEM",
    isKnown: row !== undefined && row.role !== null,
    lacksTenant: row?.role === "OPERATIONAL",
    callerIsOurs: row?.callerIsOurs ?? false,
  };
}
