import type { OpenApiDocument } from "./open-api.ts";
import { escape, exampleOf, fieldsOf, prose, typeOf, type Schema } from "./reference-schema.ts";
import { STYLE } from "./reference-style.ts";

interface Parameter {
  name: string;
  in: "path" | "query";
  required?: boolean;
  schema: Schema;
}
type Content = Record<string, { schema: Schema }>;
interface Operation {
  summary: string;
  description: string;
  tags: [string];
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}
/** The parts of the document that the page shows. */
interface Shown {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** The OpenAPI document as one page for people. No script, nothing from elsewhere: it works without the internet. */
export function referencePage(document: OpenApiDocument): string {
  // Made by `openApiDocument` alone: every operation is built there in one form.
  const { info, paths, components } = document as unknown as Shown;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, ...operation })),
  );
  const tags = Map.groupBy(operations, ({ tags: [tag] }) => tag);
  const index = [...tags].map(
    ([tag, ofTag]) =>
      `<li><a href="#${tag}">${tag}</a><ul>${ofTag
        .map(
          ({ method, path }) =>
            `<li><a href="#${anchorOf(method, path)}">${title(method, path, "/<wbr>")}</a>`,
        )
        .join("")}</ul>`,
  );
  const sections = [...tags].map(
    ([tag, ofTag]) =>
      `<section><h2 id="${tag}">${tag}</h2>${ofTag.map((one) => section(one, components.schemas)).join("")}</section>`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<article id="${name}"><h3>${name}</h3>${bodyOf(schema)}</article>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)}</title><style>${STYLE}</style></head>
<body><nav aria-label="Operations"><ul>${index.join("")}<li><a href="#schemas">Schemas</a></ul></nav>
<main><h1>${escape(info.title)} <small>${escape(info.version)}</small></h1>
${prose(info.description)}
<p>The same as an OpenAPI document: <a href="openapi.json">openapi.json</a>. The examples below need two variables:</p>
${code(`URL=localhost:3001   # this gateway's address\nTOKEN=$(npm run --silent token -- --role super-admin)`)}
${sections.join("\n")}
<section><h2 id="schemas">Schemas</h2>${schemas.join("\n")}</section></main></body></html>`;
}

function section(operation: Operation & Place, schemas: Record<string, Schema>): string {
  const { method, path, summary, description, parameters = [], requestBody, responses } = operation;
  const body = requestBody?.content["application/json"]?.schema;
  const parts = [
    ...(["path", "query"] as const).map((place) => {
      const here = parameters.filter((parameter) => parameter.in === place);
      return part(place === "path" ? "In the path" : "Query", fieldsOf(objectOf(here)));
    }),
    body === undefined ? "" : part(`Body: ${typeOf(body)}`, bodyOf(resolve(body, schemas))),
    part("Example", code(curlOf(operation, body, schemas))),
    part("Answers", answersOf(responses)),
  ];
  return `<article id="${anchorOf(method, path)}"><h3>${title(method, path)}</h3>
<p>${escape(summary)}. <span class="role">${escape(description)}</span></p>${parts.join("")}</article>`;
}

function bodyOf(schema: Schema): string {
  return prose(schema.description) + fieldsOf(schema);
}

interface Place {
  method: string;
  path: string;
}

function part(heading: string, content: string): string {
  return content === "" ? "" : `<h4>${heading}</h4>${content}`;
}

/** Parameters as the fields of an object. */
function objectOf(parameters: Parameter[]): Schema {
  return {
    type: "object",
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  };
}

function answersOf(responses: Operation["responses"]): string {
  const rows = Object.entries(responses).map(([status, { description, content = {} }]) => {
    const [[type, { schema }] = ["", { schema: {} }]] = Object.entries(content);
    const kind = type === "application/json" ? typeOf(schema) : escape(type);
    const isError = Number(status) >= 400;
    const shown = isError
      ? prose(description)
      : `<p>${escape(description)}${kind === "" ? "" : ` · ${kind}`}</p>${fieldsOf(schema)}`;
    return { status, isError, html: `<li><b>${status}</b><div>${shown}</div>` };
  });
  const [answers, errors] = [
    rows.filter(({ isError }) => !isError),
    rows.filter(({ isError }) => isError),
  ];
  const listOf = (of: typeof rows) =>
    `<ul class="answers">${of.map(({ html }) => html).join("")}</ul>`;
  return `${listOf(answers)}<details><summary>Errors: ${errors.map(({ status }) => status).join(", ")}</summary>
${listOf(errors)}<p>Their form is <a href="#Error">Error</a>.</p></details>`;
}

/** A request that the gateway takes, but for the ids that stand as variables. */
function curlOf(
  { method, path, responses }: Operation & Place,
  body: Schema | undefined,
  schemas: Record<string, Schema>,
): string {
  const url = path.replace(/([\w-]+)\/\{(\w+)\}/g, (_, resource: string, name: string) => {
    const words = name === "id" ? `${resource.replace(/s$/, "")}Id` : name;
    return `${resource}/$${words.replace(/[A-Z]/g, "_$&").toUpperCase()}`;
  });
  const verb =
    method === "get" || (method === "post" && body !== undefined)
      ? ""
      : ` -X ${method.toUpperCase()}`;
  const isFile = responses["200"]?.content?.["application/octet-stream"] !== undefined;
  return [
    `curl${verb}${isFile ? " -OJ" : ""} "$URL${url}" -H "Authorization: Bearer $TOKEN"`,
    ...(body === undefined
      ? []
      : [
          `-H "Content-Type: application/json"`,
          `-d '${JSON.stringify(exampleOf(body, schemas))}'`,
        ]),
  ].join(" \\\n  ");
}

function resolve(schema: Schema, schemas: Record<string, Schema>): Schema {
  const name = schema.$ref?.split("/").at(-1) ?? "";
  return schemas[name] ?? schema;
}

function title(method: string, path: string, slash = "/"): string {
  return `<b class="${method}">${method}</b> <code>${escape(path).replaceAll("/", slash)}</code>`;
}

function anchorOf(method: string, path: string): string {
  return `${method}${path.replace(/\W+/g, "-").replace(/-$/, "")}`;
}

function code(text: string): string {
  return `<pre><code>${escape(text)}</code></pre>`;
}
