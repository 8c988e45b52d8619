/** Of JSON Schema, what the gateway's schemas become. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  default?: unknown;
  example?: unknown;
}

/** The fields of an object, those of objects within them in lists of their own. Empty when it has none. */
export function fieldsOf(schema: Schema): string {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const must = schema.required?.includes(name) === true ? `<em>required</em>` : "";
    const notes = [`<span class="type">${typeOf(field)}</span>`, must, ...limitsOf(field)];
    // The format of an id says it already.
    const said = field.description?.toLowerCase() === field.format ? "" : prose(field.description);
    const inner = innerOf(field)
      .map((one) => fieldsOf(one))
      .join("");
    return `<li><code>${escape(name)}</code><div>${notes.filter(Boolean).join(" · ")}${said}${inner}</div>`;
  });
  return fields.length === 0 ? "" : `<ul class="fields">${fields.join("")}</ul>`;
}

/** What stands in its place: itself, one of several, or the entries of an array. */
function innerOf(schema: Schema): Schema[] {
  const within = [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])];
  return schema.properties === undefined ? within.flatMap(innerOf) : [schema];
}

/** Its type in words; a schema of a name as a link to it. */
export function typeOf(schema: Schema): string {
  const { $ref, anyOf, items, type, format } = schema;
  if ($ref !== undefined) {
    const name = escape($ref.split("/").at(-1) ?? "");
    return `<a href="#${name}">${name}</a>`;
  }
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeOf))].join(" or ");
  const orNull = Array.isArray(type) && type.includes("null") ? " or null" : "";
  if (schema.enum !== undefined) return `${schema.enum.map(value).join(" | ")}${orNull}`;
  if (items !== undefined && type === "array") return `array of ${typeOf(items)}`;
  const names = (Array.isArray(type) ? type : [type ?? "anything"]).join(" or ");
  return escape(format === undefined ? names : `${names} (${format})`);
}

function limitsOf(schema: Schema): string[] {
  const { minLength, maxLength, format, pattern } = schema;
  // What JSON numbers can hold is no limit of ours.
  const own = (limit = Infinity) => (Math.abs(limit) < Number.MAX_SAFE_INTEGER ? limit : undefined);
  return [
    range(own(schema.minimum), own(schema.maximum), ""),
    range(minLength, maxLength, " characters"),
    pattern === undefined || format !== undefined ? "" : `matches <code>${escape(pattern)}</code>`,
    schema.default === undefined ? "" : `default ${value(schema.default)}`,
    schema.example === undefined || schema.example === schema.default
      ? ""
      : `such as ${value(schema.example)}`,
    (schema.anyOf ?? [])
      .map((one) => limitsOf(one).join(" · "))
      .filter((words) => words !== "")
      .join(" or "),
  ].filter((words) => words !== "");
}

function range(from: number | undefined, to: number | undefined, unit: string): string {
  if (from === undefined && to === undefined) return "";
  if (from === undefined) return `at most ${to}${unit}`;
  return to === undefined ? `at least ${from}${unit}` : `${from} to ${to}${unit}`;
}

/** A value of the schema: its example, or the required fields; of an object without any, its first field. */
export function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  if (schema.$ref !== undefined)
    return exampleOf(schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, schemas);
  if (schema.example !== undefined) return schema.example;
  if (schema.enum !== undefined) return schema.enum.at(-1);
  const { properties, required = [] } = schema;
  if (properties === undefined) return schema.type === "string" ? "Example" : null;
  const shown = required.length > 0 ? required : Object.keys(properties).slice(0, 1);
  return Object.fromEntries(
    shown.map((name) => [name, exampleOf(properties[name] ?? {}, schemas)]),
  );
}

function value(of: unknown): string {
  return `<code>${escape(JSON.stringify(of))}</code>`;
}

/** Words, with what stands in backticks as code. */
export function prose(text: string | undefined): string {
  return text === undefined
    ? ""
    : `<p>${escape(text).replace(/`([^`]+)`/g, "<code>$1</code>")}</p>`;
}

export function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
