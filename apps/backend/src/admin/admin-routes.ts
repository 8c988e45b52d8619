import express, { Router, type Request, type Response } from "express";
import { newId } from "@jobrun/db";
import helmet from "helmet";
import { otherMethods } from "../http/other-methods.ts";
import { AdminError, adminError, notFound } from "./admin-error.ts";
import { alertRoutes } from "./alerts.ts";
import type { AdminDeps, Route } from "./route.ts";
import { conversationRoutes } from "./conversations.ts";
import { customerRoutes } from "./customers.ts";
import { jobRoutes } from "./jobs.ts";
import { mediaRoutes } from "./media.ts";
import { messageRoutes } from "./messages.ts";
import { numberRoutes } from "./numbers.ts";
import { openApiDocument } from "./open-api.ts";
import { outboxRoutes } from "./outbox.ts";
import { referencePage } from "./reference-page.ts";
import { tenantRoutes } from "./tenants.ts";
import { sendFile, StoredFile } from "./stored-file.ts";
import { readToken, type Principal } from "./token.ts";
import { unroutedRoutes } from "./unrouted.ts";
import { usageRoutes } from "./usage.ts";

const PREFIX = "/api/v1";
const MAX_BODY = "100kb";
/** No upgrade to https, as helmet's defaults have it: in a local network the page's links would lead nowhere. */
const pageHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'unsafe-inline'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

const routes: readonly Route[] = [
  ...tenantRoutes,
  ...numberRoutes,
  ...conversationRoutes,
  ...messageRoutes,
  ...mediaRoutes,
  ...jobRoutes,
  ...customerRoutes,
  ...usageRoutes,
  ...alertRoutes,
  ...outboxRoutes,
  ...unroutedRoutes,
];

/** The administration's routes under /api/v1, their OpenAPI document and its reference page. */
export function adminRoutes(deps: AdminDeps): Router {
  const router = Router();
  for (const route of routes)
    router[route.method](PREFIX + route.path, helmet(), (request, response) =>
      answer(deps, route, request, response),
    );
  for (const [path, [first, ...others]] of methodsByPath())
    router.all(PREFIX + path, helmet(), otherMethods(first, ...others));
  const document = openApiDocument(routes, PREFIX, deps.channels);
  const page = referencePage(document);
  router.get(`${PREFIX}/openapi.json`, helmet(), (_request, response) => {
    response.set("x-request-id", newId()).json(document);
  });
  router.get(`${PREFIX}/docs`, pageHeaders, (_request, response) => {
    response.set("x-request-id", newId()).type("html").send(page);
  });
  return router;
}

function methodsByPath(): Map<string, [string, ...string[]]> {
  const methods = new Map<string, [string, ...string[]]>();
  for (const { path, method } of routes) {
    const known = methods.get(path);
    if (known === undefined) methods.set(path, [method.toUpperCase()]);
    else known.push(method.toUpperCase());
  }
  return methods;
}

/** Who asks → may they → what do they ask for → do it. Nothing is parsed for somebody unknown. */
async function answer(deps: AdminDeps, route: Route, request: Request, response: Response) {
  const requestId = newId();
  response.set({ "x-request-id": requestId, "cache-control": "no-store" });
  try {
    const principal = await authenticate(deps, request);
    // Whose id it is must not show in the answer.
    if (route.path.startsWith("/tenants/:id") && isAnothers(principal, request.params["id"]))
      throw notFound("tenant");
    if (route.role === "super-admin" && principal.role !== "super-admin")
      throw new AdminError("forbidden", "This needs the role super-admin");
    const body = route.body === null ? undefined : await readBody(request, response);
    const { params, query } = request;
    const reply = await route.run({ deps, principal, requestId }, { params, query, body });
    response.status(reply.status);
    if (reply.status === 204) response.end();
    else if (reply.body instanceof StoredFile) sendFile(response, reply.body);
    else response.json(reply.body);
  } catch (error) {
    const { status, code, message, details } = adminError(error);
    const outcome = { requestId, status, method: route.method, route: route.path };
    if (status >= 500 && code === "internal")
      deps.logger.error("administration request failed", { ...outcome, error });
    else deps.logger.info("administration request refused", { ...outcome, code });
    if (status === 401) response.set("www-authenticate", "Bearer");
    response.status(status).json({
      error: { code, message, requestId, ...(details.length > 0 && { details }) },
    });
  }
}

function isAnothers(principal: Principal, tenantId: unknown): boolean {
  return principal.role === "admin" && String(tenantId).toLowerCase() !== principal.tenantId;
}

async function authenticate({ jwtSecret }: AdminDeps, request: Request): Promise<Principal> {
  if (jwtSecret === undefined)
    throw new AdminError("not_configured", "The admin API is off until JWT_SECRET is set");
  const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const principal = token === undefined ? null : await readToken(jwtSecret, token);
  if (principal === "expired")
    throw new AdminError("unauthorized", "The token has expired; a new one is needed");
  if (principal === null)
    throw new AdminError("unauthorized", "A valid token is needed: Authorization: Bearer <token>");
  return principal;
}

const parseJson = express.json({ limit: MAX_BODY });

async function readBody(request: Request, response: Response): Promise<unknown> {
  // False when there is a body of another type; null when there is none.
  if (request.is("application/json") === false)
    throw new AdminError("unsupported", "The body must be application/json");
  await new Promise<void>((resolve, reject) => {
    parseJson(request, response, (error) => (error === undefined ? resolve() : reject(error)));
  });
  refuseUnstorable(request.body);
  return request.body;
}

/** PostgreSQL stores neither NUL nor half a character, wherever in the body they stand. */
function refuseUnstorable(value: unknown, path: string[] = []): void {
  if (typeof value === "string" && (value.includes("\0") || !value.isWellFormed()))
    throw new AdminError("invalid", "The request is not valid", [
      { field: path.join(".") || "body", message: "has a character that is none" },
    ]);
  if (typeof value !== "object" || value === null) return;
  for (const [key, entry] of Object.entries(value)) refuseUnstorable(entry, [...path, key]);
}
