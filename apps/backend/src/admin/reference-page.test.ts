import { expect, it } from "@jest/globals";
import { jobRoutes } from "./jobs.ts";
import { messageRoutes } from "./messages.ts";
import { numberRoutes } from "./numbers.ts";
import { openApiDocument } from "./open-api.ts";
import { referencePage } from "./reference-page.ts";
import { tenantRoutes } from "./tenants.ts";

const routes = [...tenantRoutes, ...numberRoutes, ...messageRoutes, ...jobRoutes];
const page = referencePage(openApiDocument(routes, "/api/v1", new Map()));

it("links to nothing that is not on the page", () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(targets).toEqual(expect.arrayContaining(["Tenant", "ReengagementTemplate", "Error"]));
  expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
});

it.each(routes.map((route) => ({ route, operation: `${route.method} ${route.path}` })))(
  "shows a request that the gateway takes: $operation",
  ({ route }) => {
    const shown = referencePage(openApiDocument([route], "/api/v1", new Map()));
    const command = /<code>(curl[^<]+)<\/code>/.exec(shown)?.[1] ?? "";
    const words = command.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    expect(words).toMatch(/^curl.* "\$URL\/api\/v1\/[\w/$]+" -H "Authorization: Bearer \$TOKEN"/);
    const body = /-d '(.+)'/.exec(words)?.[1];
    expect(body !== undefined).toBe(route.body !== null);
    const read = route.body?.safeParse(JSON.parse(body ?? ""));
    expect(read?.error?.issues ?? []).toEqual([]);
  },
);

it("tells types, limits, values and the codes of errors", () => {
  for (const shown of [
    "<em>required</em> · 1 to 100 characters",
    "<code>&#34;starter&#34;</code> | <code>&#34;pro&#34;</code>",
    "<code>too_large</code>",
    "<code>unsupported</code>",
  ])
    expect(page).toContain(shown);
});
