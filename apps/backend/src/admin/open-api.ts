import { z } from "zod";
import { createDocument, type oas32 } from "zod-openapi";
import { VERSION } from "../version.ts";
import { AdminError, type AdminErrorCode } from "./admin-error.ts";
import type { AdminDeps, Route } from "./route.ts";
import { storedFile } from "./stored-file.ts";

/** When each code is answered. */
const failures: Record<AdminErrorCode, string> = {
  invalid: "`details` name the fields",
  bad_request: "the body is not valid JSON",
  unauthorized: "no valid token",
  forbidden: "the role may not",
  not_found: "not there, or another tenant's",
  conflict: "not possible in the present state",
  too_large: "the body is larger than 100 kB",
  unsupported: "the body is not application/json",
  internal: "failed; nothing was changed",
  not_configured: "JWT_SECRET is not set",
};
const codes = Object.keys(failures) as AdminErrorCode[];

const failure = z
  .object({
    error: z.object({
      code: z.enum(codes),
      message: z.string(),
      requestId: z.string(),
      details: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    }),
  })
  .meta({ id: "Error" });

export type OpenApiDocument = oas32.OpenAPIObject;

/** The document of the routes, made of the schemas they check with. */
export function openApiDocument(
  routes: readonly Route[],
  prefix: string,
  channels: AdminDeps["channels"],
): OpenApiDocument {
  const paths: Record<string, Record<string, ReturnType<typeof operation>>> = {};
  for (const route of routes) {
    const path = prefix + route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "JobRun admin API",
      version: VERSION,
      description: `Channels of this gateway, each with its provider: ${[...channels.values()]
        .map(({ name, provider }) => `\`${name}\` (\`${provider}\`)`)
        .join(
          ", ",
        )}. The next page of a list is the same request with \`cursor\` set to its \`nextCursor\`.`,
    },
    servers: [{ url: "/", description: "The gateway that serves this document" }],
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
    paths,
  });
}

function operation(route: Route) {
  const json = (schema: z.ZodType) => contentOf("application/json", schema);
  const file = contentOf("application/octet-stream", storedFile);
  const answers = Object.entries(route.answers).map(([status, description]) => [
    status,
    {
      description,
      ...(status !== "204" &&
        route.answer !== null &&
        (route.answer === storedFile ? file : json(route.answer))),
    },
  ]);
  const possible = Map.groupBy(
    codes.filter((code) => canFailWith(route, code)),
    (code) => new AdminError(code, "").status,
  );
  const errors = [...possible].map(([status, ofStatus]) => [
    status,
    {
      description: ofStatus.map((code) => `\`${code}\`: ${failures[code]}`).join("; "),
      ...json(failure),
    },
  ]);
  return {
    summary: route.summary,
    description: `Role: ${route.role}`,
    tags: [tagOf(route.path)],
    requestParams: { path: route.params, query: route.query },
    ...(route.body !== null && { requestBody: { required: true, ...json(route.body) } }),
    responses: Object.fromEntries([...answers, ...errors]),
  };
}

function canFailWith({ method, params, body, ...route }: Route, code: AdminErrorCode) {
  switch (code) {
    case "bad_request":
    case "too_large":
    case "unsupported":
      return body !== null;
    case "forbidden":
      return body !== null || route.role === "super-admin";
    case "not_found":
      return Object.keys(params.shape).length > 0;
    case "conflict":
      return method !== "get" || route.answer === storedFile;
    default:
      return true;
  }
}

function contentOf(type: string, schema: z.ZodType) {
  return { content: { [type]: { schema } } };
}

/** What a path is about: its last word that is not a parameter, or the one before a verb. */
function tagOf(path: string): string {
  const words = path.split("/").filter((word) => word !== "" && !word.startsWith(":"));
  const nouns = words.filter(
    (word) => !["admin", "takeover", "release", "ack", "replay", "export"].includes(word),
  );
  return nouns.at(-1) ?? "admin";
}
