import { z } from "zod";
import { createDocument } from "zod-openapi";
import { VERSION } from "../version.ts";
import type { Route } from "./route.ts";
import { storedFile } from "./stored-file.ts";

const failure = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      requestId: z.string(),
      details: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    }),
  })
  .meta({ id: "Error" });

const failures = {
  400: "The request is not valid: `details` name the fields",
  401: "No valid token",
  403: "The role may not",
  404: "Not there, or another tenant's",
  409: "Not possible in the present state",
  500: "Failed; nothing was changed",
  503: "JWT_SECRET is not set",
} as const;

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

/** The document of the routes, made of the schemas they check with. */
export function openApiDocument(routes: readonly Route[], prefix: string) {
  const paths: Record<string, Record<string, ReturnType<typeof operation>>> = {};
  for (const route of routes) {
    const path = prefix + route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return createDocument({
    openapi: "3.1.0",
    info: { title: "JobRun admin API", version: VERSION },
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
  const errors = Object.entries(failures).map(([status, description]) => [
    status,
    { description, ...json(failure) },
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
