import type { OpenApiDocument } from "./open-api.ts";

/** The OpenAPI document as one page for people. No script, nothing from elsewhere: it works without the internet. */
export function referencePage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(method, path, operation)),
  );
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="${escape(name)}"><summary>${escape(name)}</summary>${code(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)}</title><style>${STYLE}</style>
<h1>${escape(document.info.title)}</h1>
<p>Every request carries <code>Authorization: Bearer &lt;token&gt;</code>; <code>pnpm token --role super-admin</code> prints one.
The document itself: <a href="openapi.json">openapi.json</a>.</p>
${operations.join("\n")}
<h2>Schemas</h2>
${schemas.join("\n")}
</html>`;
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
details { border: 1px solid #d0d0d0; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem }
summary { cursor: pointer } b { display: inline-block; width: 4.5rem; text-transform: uppercase }
pre { background: #f5f5f5; padding: .75rem; overflow-x: auto; font-size: .85rem }`;

function section(method: string, path: string, operation: unknown): string {
  const { summary, description, ...rest } = operation as { summary: string; description: string };
  return `<details><summary><b>${escape(method)}</b> <code>${escape(path)}</code> – ${escape(summary)}</summary>
<p>${escape(description)}</p>${code(rest)}</details>`;
}

function code(value: unknown): string {
  return `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
