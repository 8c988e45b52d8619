import { createHash } from "node:crypto";
import { newId, type Database } from "@jobrun/db";
import type { ProviderNotice } from "@jobrun/messaging";
import type { AlertService } from "../alerts/alert-service.ts";

interface NoticeDeps {
  db: Database;
  alerts: AlertService;
}

/** How long campaigns wait before one text finds out whether the provider takes them again. */
const PAUSE_HOURS = 24;

/**
 * Keeps what a provider says about an account, a number or a template. What stops sending raises an
 * alert and holds campaigns back, until the provider says that it is over; answers go on.
 *
 * @throws when it could not be stored
 */
export async function takeNotice(
  { db, alerts }: NoticeDeps,
  notice: ProviderNotice,
  requestId: string,
): Promise<void> {
  const { provider, channel, accountId, field, effect, resource = accountId } = notice;
  const payload = JSON.stringify(notice.payload);
  const digest = createHash("sha256").update(`${provider} ${accountId} ${field} ${payload}`);
  const isNew = await db.serviceTransaction(async (tx) => {
    const stored = await tx.$executeRaw`
      INSERT INTO "ProviderNotice" ("id", "provider", "accountId", "field", "payload", "digest")
      VALUES (${newId()}::uuid, ${provider}, ${accountId}, ${field}, ${payload}::jsonb, ${digest.digest("hex")})
      ON CONFLICT DO NOTHING`;
    if (stored === 0) return false;
    if (effect === "stops") {
      await tx.$executeRaw`
        INSERT INTO "ChannelStop" ("channel", "kind", "code", "probeAt")
        VALUES (${channel}, 'campaign', ${resource}, now() + make_interval(hours => ${PAUSE_HOURS}))
        ON CONFLICT ("channel", "sender", "recipientPrefix", "kind") DO UPDATE SET "probeAt" = EXCLUDED."probeAt"`;
      await alerts.raiseIn(tx, {
        type: "PROVIDER_RESTRICTION",
        resource,
        ...(notice.summary !== undefined && { summary: notice.summary }),
        requestId,
      });
    }
    if (effect === "ends")
      await tx.$executeRaw`
        DELETE FROM "ChannelStop" WHERE "channel" = ${channel} AND "kind" = 'campaign'
          AND NOT EXISTS (SELECT 1 FROM "Alert" WHERE "type" = 'PROVIDER_RESTRICTION' AND "state" <> 'RESOLVED'
            AND "key" <> ${`PROVIDER_RESTRICTION:${resource}`})`;
    return true;
  });
  if (isNew && effect === "ends") await alerts.resolve("PROVIDER_RESTRICTION", resource);
}
