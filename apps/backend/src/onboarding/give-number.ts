import { newId, type Tx } from "@jobrun/db";
import type { AlertService } from "../alerts/alert-service.ts";
import { allocateNumber } from "../numbers/allocate.ts";
import { homeCountry } from "./home-country.ts";
import type { SignUp } from "./sign-up.ts";
import { steps } from "./steps.ts";

export interface GiveNumberDeps {
  alerts: Pick<AlertService, "raiseIn">;
  /** E.164, the gateway's own senders: never given away */
  excluded: readonly string[];
}

/**
 * What a confirmation leads to: the answers become a tenant, and the tenant gets a number. Who
 * confirms again, after BACK or RESTART, keeps tenant and number, and their new answers count.
 *
 * @param signUp confirmed; its row is locked
 * @returns it one step further, or as it is while no number is available
 */
export async function giveNumber(tx: Tx, deps: GiveNumberDeps, signUp: SignUp): Promise<SignUp> {
  const tenantId = signUp.tenantId ?? newId();
  await writeTenant(tx, tenantId, signUp);
  const number = signUp.number ?? (await allocateNumber(tx, tenantId, deps.excluded));
  if (number !== null) return { ...signUp, tenantId, number, state: steps[signUp.state].next };
  await deps.alerts.raiseIn(tx, { type: "POOL_EMPTY" });
  return { ...signUp, tenantId };
}

async function writeTenant(tx: Tx, id: string, { answers, phone, locale }: SignUp): Promise<void> {
  const { businessName: name, trade, place, ownerName, alertPhone: operatorPhone } = answers;
  if (name === undefined || operatorPhone === undefined)
    throw new Error("a sign-up was confirmed before its questions were answered");
  const { region, timeZone } = homeCountry(phone);
  const given = { name, operatorPhone, trade: trade ?? null, place: place ?? null };
  const values = { ...given, ownerName: ownerName ?? null, locale, region, timeZone };
  await tx.tenant.upsert({ where: { id }, create: { id, ...values }, update: values });
}
