import type { Tx } from "@jobrun/db";
import { z } from "zod";
import { allocateNumber } from "../numbers/allocate.ts";
import { releaseNumber } from "../numbers/release.ts";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { id, ids, phone } from "./fields.ts";
import { route, type Context } from "./route.ts";

const channel = z.literal("sms");
const number = z.object({ channel, phoneNumber: z.string() }).meta({ id: "Number" });

export const numberRoutes = [
  route({
    method: "post",
    path: "/tenants/:id/numbers",
    summary: "Give a tenant a number: the one that is named, or the oldest of the pool",
    role: "super-admin",
    params: ids("id"),
    body: z.strictObject({ channel, phoneNumber: phone.optional() }).meta({ id: "NewNumber" }),
    answers: { 201: "Given" },
    answer: number,
    handle: async (context, { params, body }) => {
      const phoneNumber = await give(context, params.id, body.phoneNumber);
      return { status: 201, body: { channel: body.channel, phoneNumber } };
    },
  }),
  route({
    method: "delete",
    path: "/tenants/:id/numbers/:number",
    summary: "Take a number from a tenant; it rests for 30 days before the pool gives it away",
    role: "super-admin",
    params: z.object({ id, number: phone }),
    answers: { 204: "Taken" },
    handle: async (context, { params }) => {
      await take(context, params.id, params.number);
      return { status: 204 };
    },
  }),
];

function give(context: Context, tenantId: string, wanted: string | undefined): Promise<string> {
  const { db, excluded } = context.deps;
  return db.serviceTransaction(async (tx) => {
    // Locked, so that a tenant who is being deleted gets none.
    const [tenant] = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM "Client" WHERE "id" = ${tenantId}::uuid FOR UPDATE`;
    if (tenant === undefined) throw notFound("tenant");
    const phoneNumber =
      wanted === undefined
        ? await allocateNumber(tx, tenantId, excluded)
        : await attach(tx, tenantId, wanted, excluded);
    if (phoneNumber === null)
      throw new AdminError(
        "conflict",
        wanted === undefined
          ? "No number of the pool is available"
          : "This number is in use, or kept for the gateway itself",
      );
    const action = wanted === undefined ? "number.allocate" : "number.attach";
    await audit(tx, context, { tenantId, action, target: phoneNumber });
    return phoneNumber;
  });
}

/** A number that rests may be named: whoever does knows whose it was. */
async function attach(
  tx: Tx,
  tenantId: string,
  phoneNumber: string,
  excluded: readonly string[],
): Promise<string | null> {
  if (excluded.includes(phoneNumber)) return null;
  const attached = await tx.$executeRaw`
    INSERT INTO "TwilioNumberPool" AS n ("phoneNumber", "role", "clientId")
    VALUES (${phoneNumber}, 'OPERATIONAL', ${tenantId}::uuid)
    ON CONFLICT ("phoneNumber") DO UPDATE SET "role" = 'OPERATIONAL', "clientId" = EXCLUDED."clientId", "releasedAt" = NULL
    WHERE n."role" = 'SYSTEM' AND NOT n."reserved"`;
  return attached === 1 ? phoneNumber : null;
}

function take(context: Context, tenantId: string, phoneNumber: string): Promise<void> {
  return context.deps.db.serviceTransaction(async (tx) => {
    const [owned] = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM "TwilioNumberPool"
      WHERE "phoneNumber" = ${phoneNumber} AND "clientId" = ${tenantId}::uuid FOR UPDATE`;
    if (owned === undefined) throw notFound("number");
    await releaseNumber(tx, phoneNumber);
    await audit(tx, context, { tenantId, action: "number.release", target: phoneNumber });
  });
}
