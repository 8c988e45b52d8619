import { newId } from "@jobrun/db";
import { type Channel, type ChannelWebhook, type WebhookRequest } from "@jobrun/messaging";
import express, { Router, type Request, type Response } from "express";
import type { AlertService } from "../alerts/alert-service.ts";
import { takeItems, type TakeItemsDeps } from "../conversations/take-items.ts";
import { otherMethods } from "../http/other-methods.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface ChannelWebhookDeps extends TakeItemsDeps {
  channels: ReadonlyMap<string, Channel>;
  publicBaseUrl: string;
  signatures: "required" | "off";
  metrics: Metrics;
  alerts: AlertService;
  deadlineMs: number;
  now: () => number;
}

/** The largest webhook of any provider: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview */
const MAX_BODY = "3mb";

const rawBody = express.raw({ type: () => true, limit: MAX_BODY });

/**
 * A route for each channel whose provider reports everything at one address: 200 when all of it is
 * written, 500 when something could not be, and then the provider sends all of it again.
 */
export function channelWebhooks(deps: ChannelWebhookDeps): Router {
  const router = Router();
  for (const channel of deps.channels.values()) {
    const { webhook } = channel;
    if (webhook === undefined) continue;
    router.get(webhook.path, (request, response) => challenge(webhook, request, response));
    router.post(webhook.path, rawBody, (request, response) =>
      receive(deps, channel, webhook, request, response),
    );
    router.all(webhook.path, otherMethods("GET", "POST"));
    const address = deps.publicBaseUrl + webhook.path;
    for (const path of webhook.movedFrom)
      router.all(path, (_request, response) =>
        refuse(response, 410, "gone", `This address has moved to ${address}`),
      );
  }
  return router;
}

function challenge(webhook: ChannelWebhook, request: Request, response: Response): void {
  const answer = webhook.challenge(new URL(request.originalUrl, "http://gateway").searchParams);
  if (answer === null) {
    refuse(response, 403, "forbidden", "The verify token does not match");
    return;
  }
  // What is echoed came from outside: as plain text no browser runs it.
  response.set("x-content-type-options", "nosniff").type("text/plain").send(answer);
}

async function receive(
  deps: ChannelWebhookDeps,
  channel: Channel,
  webhook: ChannelWebhook,
  request: Request,
  response: Response,
): Promise<void> {
  const started = deps.now();
  const requestId = newId();
  response.set("x-request-id", requestId);
  const done = (outcome: string) => {
    deps.metrics.webhooks.inc({ channel: channel.name, outcome });
    deps.metrics.webhookDuration.observe({ channel: channel.name }, (deps.now() - started) / 1000);
  };
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (deps.signatures === "required" && !webhook.verify(webhookRequest(deps, request, body))) {
    deps.metrics.signatureFailures.inc({ provider: channel.provider });
    deps.alerts.recordSignatureFailure();
    const { path } = webhook;
    const trace = { requestId, status: 401, path };
    deps.logger.warn("webhook refused: the signature does not match", trace);
    done("unauthorized");
    refuse(response, 401, "unauthorized", "The signature does not match", requestId);
    return;
  }
  const { defaultTo } = webhook;
  const defaults = deps.signatures === "off" && defaultTo !== undefined ? { to: defaultTo } : {};
  const read = webhook.read(body, defaults);
  if (!read.ok) {
    const { path } = webhook;
    const problems = read.problems.join(", ");
    deps.logger.warn(`webhook refused: unreadable: ${problems}`, { requestId, status: 400, path });
    done("malformed");
    const message = `The payload is invalid: ${problems}`;
    refuse(response, 400, "malformed", message, requestId);
    return;
  }
  const complete = await takeItems(deps, channel, read.items, {
    requestId,
    deadline: started + deps.deadlineMs,
  });
  done(complete ? "committed" : "failed");
  if (complete) response.json({ status: "ok" });
  else refuse(response, 500, "not_committed", "Not all of it could be stored", requestId);
}

function webhookRequest(
  { publicBaseUrl }: ChannelWebhookDeps,
  request: Request,
  body: Buffer,
): WebhookRequest {
  return {
    url: publicBaseUrl + request.originalUrl,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    ),
    rawBody: body,
    params: {},
  };
}

function refuse(
  response: Response,
  status: number,
  code: string,
  message: string,
  requestId = newId(),
): void {
  response.status(status).json({ error: { code, message, requestId } });
}
