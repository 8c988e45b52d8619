import type { Tx } from "@jobrun/db";
import { z } from "zod";
import { allocateNumber } from "../numbers/allocate.ts";
import { releaseNumber } from "../numbers/release.ts";
import { AdminError, notFound } from "./admin-error.ts";
import { audit } from "./audit.ts";
import { id, ids, ourNumber, phone, phoneNumberId } from "./fields.ts";
import { route, type Context } from "./route.ts";

const newNumber = z
  .strictObject({
    channel: z.string().meta({ example: "sms" }),
    phoneNumber: phone.optional(),
    provider: z.string().optional().meta({ description: "Who carries this channel here" }),
    phoneNumberId: phoneNumberId.optional(),
  })
  .meta({
    id: "NewNumber",
    description:
      "Of SMS: phoneNumber, or nothing for the oldest of the pool. Of a channel whose provider calls numbers by ids of its own: provider, phoneNumberId and phoneNumber",
  });

type NewNumber = z.output<typeof newNumber>;
type OurNumber = z.input<typeof ourNumber>;

interface ProviderNumber {
  channel: string;
  provider: string;
  phoneNumberId: string;
  phoneNumber: string;
}

export const numberRoutes = [
  route({
    method: "post",
    path: "/tenants/:id/numbers",
    summary: "Give a tenant a number: the one that is named, or the oldest of the pool",
    role: "super-admin",
    params: ids("id"),
    body: newNumber,
    answers: { 201: "Given" },
    answer: ourNumber,
    handle: async (context, { params, body }) => {
      const wanted = readNumber(context, body);
      const given =
        "provider" in wanted
          ? await attachProviderNumber(context, params.id, wanted)
          : await giveOfPool(context, params.id, wanted);
      return { status: 201, body: given };
    },
  }),
  route({
    method: "delete",
    path: "/tenants/:id/numbers/:number",
    summary:
      "Take a number from a tenant: an SMS number, which rests for 30 days before the pool gives it away, or a phoneNumberId",
    role: "super-admin",
    params: z.object({ id, number: z.union([phone, phoneNumberId]) }),
    answers: { 204: "Taken" },
    handle: async (context, { params }) => {
      await take(context, params.id, params.number);
      return { status: 204 };
    },
  }),
];

/** @throws AdminError invalid: which fields there must be depends on the channel */
function readNumber(
  { deps: { channels } }: Context,
  { channel, ...body }: NewNumber,
): ProviderNumber | Pick<NewNumber, "channel" | "phoneNumber"> {
  const configured = channels.get(channel);
  if (configured === undefined)
    throw invalid("channel", `must be one of ${[...channels.keys()].join(", ")}`);
  const { provider, phoneNumberId: address, phoneNumber } = body;
  if (configured.webhook === undefined) {
    if (provider !== undefined) throw invalid("provider", "is not known on this channel");
    if (address !== undefined) throw invalid("phoneNumberId", "is not known on this channel");
    return { channel, ...(phoneNumber !== undefined && { phoneNumber }) };
  }
  if (provider !== configured.provider)
    throw invalid("provider", `must be ${configured.provider}, which carries this channel here`);
  if (address === undefined) throw invalid("phoneNumberId", "is needed on this channel");
  if (phoneNumber === undefined) throw invalid("phoneNumber", "is needed on this channel");
  return { channel, provider, phoneNumberId: address, phoneNumber };
}

function invalid(field: string, message: string): AdminError {
  return new AdminError("invalid", "The request is not valid", [{ field, message }]);
}

function giveOfPool(
  context: Context,
  tenantId: string,
  { channel, phoneNumber: wanted }: Pick<NewNumber, "channel" | "phoneNumber">,
): Promise<OurNumber> {
  const { db, excluded } = context.deps;
  return db.serviceTransaction(async (tx) => {
    await lockTenant(tx, tenantId);
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
    return { channel, phoneNumber };
  });
}

/** Locked, so that a tenant who is being deleted gets no number. */
async function lockTenant(tx: Tx, tenantId: string): Promise<void> {
  const [tenant] = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "Client" WHERE "id" = ${tenantId}::uuid FOR UPDATE`;
  if (tenant === undefined) throw notFound("tenant");
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

/** The tenant's own number again is no error: its provider, or the number as people dial it, may have been wrong. */
function attachProviderNumber(
  context: Context,
  tenantId: string,
  number: ProviderNumber,
): Promise<OurNumber> {
  const { channel, provider, phoneNumberId: address, phoneNumber } = number;
  return context.deps.db.serviceTransaction(async (tx) => {
    await lockTenant(tx, tenantId);
    const attached = await tx.$executeRaw`
      INSERT INTO "ChannelNumber" AS n ("channel", "address", "provider", "phoneNumber", "clientId")
      VALUES (${channel}, ${address}, ${provider}, ${phoneNumber}, ${tenantId}::uuid)
      ON CONFLICT ("channel", "address") DO UPDATE
        SET "provider" = EXCLUDED."provider", "phoneNumber" = EXCLUDED."phoneNumber"
      WHERE n."clientId" = EXCLUDED."clientId"`;
    if (attached === 0) throw new AdminError("conflict", "This number is in use");
    const changes = { channel, provider, phoneNumber };
    await audit(tx, context, { tenantId, action: "number.attach", target: address, changes });
    return number;
  });
}

/** An E.164 is never a provider's id, nor the other way round: a number on two channels is taken from one. */
function take(context: Context, tenantId: string, number: string): Promise<void> {
  return context.deps.db.serviceTransaction(async (tx) => {
    const taken = number.startsWith("+")
      ? await takeOfPool(tx, tenantId, number)
      : await tx.$executeRaw`
          DELETE FROM "ChannelNumber" WHERE "address" = ${number} AND "clientId" = ${tenantId}::uuid`;
    if (taken === 0) throw notFound("number");
    await audit(tx, context, { tenantId, action: "number.release", target: number });
  });
}

async function takeOfPool(tx: Tx, tenantId: string, phoneNumber: string): Promise<number> {
  const [owned] = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "TwilioNumberPool"
    WHERE "phoneNumber" = ${phoneNumber} AND "clientId" = ${tenantId}::uuid FOR UPDATE`;
  if (owned === undefined) return 0;
  return (await releaseNumber(tx, phoneNumber)) ? 1 : 0;
}
