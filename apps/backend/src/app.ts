import { newId } from "@jobrun/db";
import express, { type Express } from "express";
import helmet from "helmet";
import { adminRoutes } from "./admin/admin-routes.ts";
import type { AdminDeps } from "./admin/route.ts";
import type { CallDeps } from "./calls/call-deps.ts";
import type { HealthDeps } from "./health/health-report.ts";
import { healthRoutes } from "./health/health.ts";
import { badRequests } from "./http/twilio-request.ts";
import { callRoutes } from "./webhooks/call-routes.ts";
import { channelWebhooks } from "./webhooks/channel-webhook.ts";
import { twilioMessageStatus } from "./webhooks/twilio-message-status.ts";
import { twilioSmsFallback, type FallbackDeps } from "./webhooks/twilio-sms-fallback.ts";
import { twilioSms } from "./webhooks/twilio-sms.ts";

export interface AppDeps {
  sms: FallbackDeps & Omit<CallDeps, "recent">;
  admin: AdminDeps;
  health: HealthDeps;
}

/** The Express application: no environment, no listening, no worker. */
export function createApp({ sms, admin, health }: AppDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use(twilioSms(sms));
  app.use(twilioSmsFallback(sms));
  app.use(twilioMessageStatus(sms));
  app.use(callRoutes(sms));
  app.use(channelWebhooks(sms));
  app.use(adminRoutes(admin));
  app.use(helmet(), healthRoutes({ ...health, metrics: sms.metrics }));
  app.use((_request, response) => {
    const error = { code: "not_found", message: "No such route", requestId: newId() };
    response.status(404).json({ error });
  });
  app.use(badRequests(sms.logger));
  return app;
}
