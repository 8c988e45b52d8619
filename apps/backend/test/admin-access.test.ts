import { beforeAll, describe, expect, it } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { SignJWT } from "jose";
import { adminRoutes } from "../src/admin/admin-routes.ts";
import {
  admin,
  conversationOf,
  JWT_SECRET,
  pictureFrom,
  replyWith,
  superAdmin,
  tokenFor,
  useAdminWorld,
  type Api,
} from "./admin-world.ts";
import { CUSTOMER } from "./harness.ts";
import { jobOf } from "./operator-world.ts";
import { settledMessagesWith } from "./rows.ts";

useAdminWorld();

let operations: Operation[];
let picture: Awaited<ReturnType<typeof pictureFrom>>;

interface Operation {
  method: string;
  path: string;
  role: string;
  hasBody: boolean;
}

beforeAll(async () => {
  await admin.gateway.text({ body: "A pipe burst, water is everywhere" });
  // Sent by now, so that nothing but a request can change a row.
  await settledMessagesWith(admin.world, CUSTOMER);
  await settledMessagesWith(admin.world, demoTenant.operatorPhone);
  picture = await pictureFrom(admin.world, demoTenant.id, { userId: "GB.1349" });
  const { body } = await admin.as(null)("GET", "/openapi.json");
  type Documented = { description: string; requestBody?: object };
  const paths = body["paths"] as Record<string, Record<string, Documented>>;
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description, requestBody }]) => ({
      hasBody: requestBody !== undefined,
      method: method.toUpperCase(),
      path: path.replace("/api/v1", ""),
      role: description.replace("Role: ", ""),
    })),
  );
});

/** Everything that tenants own and the gateway keeps, apart from what runs in the background. */
function everything() {
  return admin.world.query<{ table: string; rows: string }>(
    `SELECT relname AS "table", query_to_xml(format('SELECT * FROM %I ORDER BY 1', relname), false, true, '')::text AS rows
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
       AND relname NOT IN ('Alert', 'AlertDelivery', 'SweepState', 'AuditEntry') ORDER BY 1`,
  );
}

/** Bodies that each writing route would accept. */
const bodies: Record<string, unknown> = {
  "POST /tenants": { name: "New", operatorPhone: "+447700900001" },
  "PATCH /tenants/{id}": { name: "Taken over" },
  "POST /tenants/{id}/numbers": { channel: "sms" },
  "POST /conversations/{id}/messages": replyWith("Hello"),
  "PATCH /jobs/{id}": { status: "DONE" },
};

function request(api: Api, { method, path, hasBody }: Operation, ids = IDS) {
  if (hasBody && bodies[`${method} ${path}`] === undefined)
    throw new Error(`${method} ${path} needs a body that it would accept`);
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(ids(path, name)),
  );
  return api(method, filled, bodies[`${method} ${path}`]);
}

const IDS = (_path: string, name: string) => (name === "number" ? "+447700900001" : newId());

describe("a request to any route", () => {
  const payload = { role: "super-admin" };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const key = new TextEncoder().encode(JWT_SECRET);
  const signed = (claims: Record<string, unknown>, alg = "HS256", secret = key) =>
    new SignJWT(claims).setProtectedHeader({ alg }).setSubject("somebody").sign(secret);
  const soon = () => Math.floor(Date.now() / 1000) + 60;
  const tokens: Record<string, () => Promise<string | null> | string | null> = {
    "without a token": () => null,
    "with words for a token": () => "super-admin",
    "with an expired token": () => signed({ ...payload, exp: soon() - 120 }),
    "with a token that never ends": () => signed(payload),
    "with a token of another algorithm": () =>
      signed({ ...payload, exp: soon() }, "HS512", new TextEncoder().encode(JWT_SECRET.repeat(2))),
    "with a token of another algorithm and the right secret": () =>
      signed({ ...payload, exp: soon() }, "HS384"),
    "with a token of no algorithm": () =>
      `${encode({ alg: "none" })}.${encode({ sub: "x", ...payload, exp: soon() })}.`,
    "with a token of another secret": () =>
      signed({ ...payload, exp: soon() }, "HS256", new TextEncoder().encode("x".repeat(40))),
    "with a token of an unknown role": () => signed({ role: "owner", exp: soon() }),
    "with an admin's token that names no tenant": () => signed({ role: "admin", exp: soon() }),
  };
  it.each(Object.keys(tokens))("%s is refused with 401 and changes nothing", async (kind) => {
    const api = admin.as((await tokens[kind]?.()) ?? null);
    const before = await everything();
    for (const operation of operations) {
      const { status, body, requestId } = await request(api, operation);
      expect({ ...operation, status, code: body.error.code }).toEqual({
        ...operation,
        status: 401,
        code: "unauthorized",
      });
      expect(body.error.requestId).toBe(requestId);
    }
    expect(await everything()).toEqual(before);
  });

  it("with a token that has expired is told so, and nothing of a token that is not ours", async () => {
    const say = async (token: string) =>
      (await admin.as(token)("GET", "/tenants")).body.error.message;
    const expired = { ...payload, exp: soon() - 120 };
    expect(await say(await signed(expired))).toContain("expired");
    const other = new TextEncoder().encode("x".repeat(40));
    expect(await say(await signed(expired, "HS256", other))).toContain("A valid token is needed");
  });

  it("is refused with 403 when it needs a super-admin and an admin asks", async () => {
    const api = await admin.adminOf(demoTenant.id);
    const restricted = operations.filter(({ role }) => role === "super-admin");
    expect(restricted.length).toBeGreaterThan(8);
    const before = await everything();
    for (const operation of restricted) {
      const { status } = await request(api, operation, (path, name) =>
        path.startsWith("/tenants") && name === "id" ? demoTenant.id : IDS(path, name),
      );
      expect({ ...operation, status }).toEqual({ ...operation, status: 403 });
    }
    expect(await everything()).toEqual(before);
  });

  it("with another tenant's ids is answered as if they were nobody's, and changes nothing", async () => {
    const [conversation, job] = await Promise.all([
      conversationOf(admin.world, CUSTOMER),
      jobOf(admin.world, CUSTOMER),
    ]);
    const other = await admin.addTenant();
    const theirIds: Record<string, string> = {
      "/tenants id": demoTenant.id,
      "/tenants customerId": conversation.customerId,
      "/conversations id": conversation.id,
      "/jobs id": job.id,
      "/media id": picture.fileId,
    };
    const theirs = (path: string, name: string) => {
      const known = theirIds[`/${path.split("/")[1]} ${name}`];
      if (known === undefined) throw new Error(`${path}: whose ${name} to try?`);
      return known;
    };
    const open = operations.filter(({ role }) => role === "admin");
    expect(open.length).toBeGreaterThan(8);
    const before = await everything();
    for (const operation of open) {
      const { status, body } = await request(other.admin, operation, theirs);
      expect({ ...operation, status }).toEqual({ ...operation, status: 404 });
      expect(body.error.message).not.toContain(demoTenant.name);
    }
    // Their own tenant in the path does not open another's customer either.
    for (const path of [`/tenants/${other.id}/customers/${conversation.customerId}`])
      for (const [method, end] of [
        ["GET", "/export"],
        ["DELETE", ""],
      ] as const)
        expect((await other.admin(method, path + end)).status).toBe(404);
    expect(await everything()).toEqual(before);

    // And there was something to see: whom it belongs to is answered. What deletes comes last.
    const own = await admin.adminOf(demoTenant.id);
    const order = ["GET", "PATCH", "POST", "DELETE"];
    for (const operation of open.toSorted(
      (a, b) => order.indexOf(a.method) - order.indexOf(b.method),
    )) {
      const { status } = await request(own, operation, theirs);
      expect({ ...operation, done: status < 300 }).toEqual({ ...operation, done: true });
    }
  });
});

describe("the admin API", () => {
  it("is off, with a reason, as long as no secret is set", async () => {
    const gateway = await admin.world.startGateway();
    const token = await tokenFor({ sub: "founder", role: "super-admin" });
    const response = await fetch(`${gateway.url}/api/v1/tenants`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "not_configured" } });
  });

  it("refuses what is not JSON, broken or too large, without looking at it", async () => {
    const token = await tokenFor({ sub: "founder", role: "super-admin" });
    const post = async (body: string, type: string) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": type };
      const url = `${admin.gateway.url}/api/v1/tenants`;
      return (await fetch(url, { method: "POST", body, headers })).status;
    };
    expect(await post("name=x", "application/x-www-form-urlencoded")).toBe(415);
    expect(await post("{", "application/json")).toBe(400);
    expect(await post(JSON.stringify({ name: "x".repeat(200_000) }), "application/json")).toBe(413);
  });

  it("says nothing internal when it fails", async () => {
    await admin.world.query(`ALTER TABLE "UnroutedMessage" RENAME TO "Elsewhere"`);
    try {
      const { status, body, requestId } = await superAdmin("GET", "/admin/unrouted");
      expect(status).toBe(500);
      expect(body).toEqual({
        error: { code: "internal", message: "The request could not be processed", requestId },
      });
    } finally {
      await admin.world.query(`ALTER TABLE "Elsewhere" RENAME TO "UnroutedMessage"`);
    }
  });
});

/** Stands for the methods that a path does not have: they are answered with 405. */
const OTHERS = "OTHERS";

describe("the OpenAPI document", () => {
  it("has every route that is mounted, and no other", () => {
    const { stack } = adminRoutes({ channels: new Map() } as unknown as Parameters<
      typeof adminRoutes
    >[0]);
    const mounted = stack.flatMap(({ route }) =>
      route === undefined
        ? []
        : [...new Set(route.stack.map(({ method }) => method))].map(
            (method) =>
              `${method?.toUpperCase() ?? OTHERS} ${route.path.replace("/api/v1", "").replace(/:(\w+)/g, "{$1}")}`,
          ),
    );
    const documented = operations.map(({ method, path }) => `${method} ${path}`);
    const refused = new Set(operations.map(({ path }) => `${OTHERS} ${path}`));
    expect(mounted.toSorted()).toEqual(
      [...documented, ...refused, "GET /openapi.json", "GET /docs"].toSorted(),
    );
    expect(documented).toContain("POST /conversations/{id}/messages");
  });

  it("is shown on a page that needs nothing from elsewhere", async () => {
    const response = await fetch(`${admin.gateway.url}/api/v1/docs`);
    expect(response.headers.get("content-type")).toContain("text/html");
    const page = await response.text();
    for (const { path } of operations) expect(page).toContain(`/api/v1${path}`);
    expect(page).not.toMatch(/<script|<link|<img|@import|src=|https?:\/\//);
    // Nor from an https address that a local network has not.
    expect(response.headers.get("content-security-policy")).toMatch(/^(?!.*upgrade-insecure)/);
  });
});
