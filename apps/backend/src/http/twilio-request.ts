import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import {
  maskAddress,
  type Channel,
  type FormWebhooks,
  type InboundMessage,
  type WebhookRequest,
} from "@jobrun/messaging";
import { newId } from "@jobrun/db";
import type winston from "winston";
import type { AlertService } from "../alerts/alert-service.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What every webhook of Twilio needs, whatever it is about. */
export interface TwilioWebhookDeps {
  channel: Channel & FormWebhooks;
  publicBaseUrl: string;
  signatures: "required" | "off";
  metrics: Metrics;
  alerts: AlertService;
  logger: winston.Logger;
}

export interface TwilioMessageDeps extends TwilioWebhookDeps {
  /** Taken for a missing To while signatures are off. */
  defaultTo: string | undefined;
}

/** A request that Twilio itself made. */
interface VerifiedRequest {
  /** What the whole trace of this request carries. */
  requestId: string;
  /** As Twilio called it. */
  url: string;
  params: WebhookRequest["params"];
  /** Answers 400 because these parameters cannot be used. */
  malformed(problems: string[]): null;
}

/** A verified inbound message and the id that its whole trace carries. */
export interface VerifiedMessage {
  message: InboundMessage;
  requestId: string;
}

/** Twilio's own webhooks have under 100 parameters, ten pictures included. */
const MAX_PARAMETERS = 300;
const MAX_BODY = "100kb";

/** Reads a form as Twilio signs it, and keeps the raw bytes. */
export const twilioForm: RequestHandler = express.urlencoded({
  extended: false,
  limit: MAX_BODY,
  parameterLimit: MAX_PARAMETERS,
  verify: (request, _response, raw) => rawBodies.set(request, raw),
});

const rawBodies = new WeakMap<object, Buffer>();

/**
 * Proves that a request comes from Twilio, before anything in it is believed. Else it is answered
 * here: 403, logged without its content, counted, and told to the alerts.
 *
 * @param way what the refusal is counted under
 * @returns null when the request has been answered
 */
export function verifyTwilioRequest(
  deps: TwilioWebhookDeps,
  request: Request,
  response: Response,
  way: "sms" | "voice",
): VerifiedRequest | null {
  const requestId = newId();
  response.set("x-request-id", requestId);
  const url = deps.publicBaseUrl + request.originalUrl;
  const params: WebhookRequest["params"] = request.body ?? {};
  const refuse = (status: 400 | 403, code: string, message: string) => {
    deps.metrics.webhooks.inc({ channel: way, outcome: code });
    deps.logger.warn(`webhook refused: ${message}`, { requestId, status, path: request.path });
    response.status(status).json({ error: { code, message, requestId } });
    return null;
  };

  if (deps.signatures === "required") {
    const verified = deps.channel.verify({
      url,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      rawBody: rawBodies.get(request) ?? Buffer.alloc(0),
      params,
    });
    if (!verified) {
      deps.metrics.signatureFailures.inc({ provider: deps.channel.provider });
      deps.alerts.recordSignatureFailure();
      return refuse(
        403,
        "forbidden",
        "the signature does not match; check PUBLIC_BASE_URL and the auth token",
      );
    }
  }
  return {
    requestId,
    url,
    params,
    malformed: (problems) =>
      refuse(400, "malformed", `unusable parameters: ${problems.join(", ")}`),
  };
}

/**
 * Verifies, then parses an inbound message. Answers the request itself when it must be refused.
 *
 * @returns null when the request has been answered
 */
export function readTwilioMessage(
  deps: TwilioMessageDeps,
  request: Request,
  response: Response,
): VerifiedMessage | null {
  const verified = verifyTwilioRequest(deps, request, response, "sms");
  if (verified === null) return null;
  const defaults =
    deps.signatures === "off" && deps.defaultTo !== undefined ? { to: deps.defaultTo } : {};
  const parsed = deps.channel.parse(verified.params, defaults);
  if (!parsed.ok) return verified.malformed(parsed.problems);
  return { message: parsed.message, requestId: verified.requestId };
}

/** The fields of `message_received`, masked. */
export function received({ message, requestId }: VerifiedMessage) {
  return {
    requestId,
    providerMessageId: message.providerMessageId,
    channel: message.channel,
    from: maskAddress(message.from),
    to: maskAddress(message.to),
  };
}

const MALFORMED = { code: "bad_request", message: "The request is malformed" };

/** In the words of the admin API. */
const refusals: Partial<Record<number, typeof MALFORMED>> = {
  413: { code: "too_large", message: "The body is too large" },
  415: { code: "unsupported", message: "This encoding is not supported" },
  500: { code: "internal", message: "The request could not be processed" },
};

/** What went wrong before any route ran: too large, not a form, a broken path. Never a 500 for bad input. */
export function badRequests(logger: winston.Logger) {
  return (error: unknown, { path }: Request, response: Response, next: NextFunction): void => {
    const status = statusOf(error);
    const requestId = newId();
    if (status === null) logger.error("request failed", { requestId, path, error });
    else logger.warn("request refused", { requestId, status, path, reason: reasonOf(error) });
    if (response.headersSent) return next(error);
    const { code, message } = refusals[status ?? 500] ?? MALFORMED;
    response.status(status ?? 500).json({ error: { code, message, requestId } });
  };
}

function statusOf(error: unknown): number | null {
  const status = error instanceof Error && "status" in error ? error.status : null;
  return typeof status === "number" && status >= 400 && status < 500 ? status : null;
}

function reasonOf(error: unknown): string {
  return error instanceof Error && "type" in error ? String(error.type) : "bad request";
}
