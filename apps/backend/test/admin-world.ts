import { afterAll, beforeAll, expect } from "@jest/globals";
import { newId } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { issueToken, type Principal } from "../src/admin/token.ts";
import { createWorld, type RunningGateway, type World } from "./harness.ts";

export const JWT_SECRET = "a-secret-of-tests-that-is-long-enough";

/** What routes answer, loosely: a test names what it expects. Empty for an answer without JSON. */
interface ApiBody {
  id: string;
  status: string;
  items: { id: string; [field: string]: unknown }[];
  nextCursor: string | null;
  error: {
    code: string;
    message: string;
    requestId: string;
    details?: { field: string; message: string }[];
  };
  [field: string]: unknown;
}

interface ApiAnswer {
  status: number;
  requestId: string | null;
  body: ApiBody;
}

export type Api = (method: string, path: string, body?: unknown) => Promise<ApiAnswer>;

export interface AdminWorld {
  world: World;
  gateway: RunningGateway;
  /** As somebody with this token below /api/v1; null sends none. */
  as(token: string | null): Api;
  superAdmin: Api;
  adminOf(tenantId: string): Promise<Api>;
  /** Another tenant with a number of their own. */
  addTenant(): Promise<{ id: string; number: string; admin: Api }>;
  auditOf(target: string): Promise<AuditRow[]>;
}

interface AuditRow {
  clientId: string | null;
  actor: string;
  role: string;
  action: string;
  changes: Record<string, unknown>;
  requestId: string;
}

/** The world of a file's tests, the demo tenant's admin and a super-admin there; set once the tests run. */
export let admin: AdminWorld;
export let api: Api;
export let superAdmin: Api;

/** One gateway whose admin API is on, for all tests of a file. */
export function useAdminWorld(): void {
  beforeAll(async () => {
    admin = await createAdminWorld();
    api = await admin.adminOf(demoTenant.id);
    superAdmin = admin.superAdmin;
  });
  afterAll(() => admin.world.close());
}

async function createAdminWorld(): Promise<AdminWorld> {
  const world = await createWorld();
  const gateway = await world.startGateway({ JWT_SECRET });
  const as = (token: string | null): Api => call(gateway.url, token);
  const founder = as(await tokenFor({ sub: "founder", role: "super-admin" }));
  const adminOf = async (tenantId: string) =>
    as(await tokenFor({ sub: "owner", role: "admin", tenantId }));
  let tenants = 0;
  return {
    world,
    gateway,
    as,
    superAdmin: founder,
    adminOf,
    addTenant: async () => {
      tenants += 1;
      const number = `+4479111${String(10_000 + tenants)}`;
      const { body } = await founder("POST", "/tenants", {
        name: "Another business",
        operatorPhone: `+4477009${String(10_000 + tenants)}`,
      });
      await founder("POST", `/tenants/${body.id}/numbers`, {
        channel: "sms",
        phoneNumber: number,
      });
      world.simulator.addNumber(number, {});
      return { id: body.id, number, admin: await adminOf(body.id) };
    },
    auditOf: (target) =>
      world.query<AuditRow>(
        `SELECT "clientId", "actor", "role", "action", "changes", "requestId" FROM "AuditEntry"
         WHERE "target" = $1 ORDER BY "createdAt", "id"`,
        [target],
      ),
  };
}

export function tokenFor(principal: Principal, expiresIn = "1h"): Promise<string> {
  return issueToken(JWT_SECRET, principal, expiresIn);
}

function call(url: string, token: string | null): Api {
  return async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      requestId: response.headers.get("x-request-id"),
      body: isJson(response) ? JSON.parse(text) : {},
    };
  };
}

function isJson(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("application/json") ?? false;
}

/** The newest conversation of a customer, with what belongs to it. */
export async function conversationOf(world: World, customer: string) {
  const [row] = await world.query<{
    id: string;
    customerId: string;
    revision: number;
    humanUntil: Date | null;
  }>(
    `SELECT v."id", v."customerId", v."revision", v."humanUntil" FROM "Conversation" v
     JOIN "Customer" c ON c."id" = v."customerId" WHERE c."phone" = $1`,
    [customer],
  );
  if (row === undefined) throw new Error(`${customer} has no conversation`);
  return row;
}

/** The status of an answer and the fields that it says are wrong. */
export function refusal({ status, body }: ApiAnswer) {
  return { status, fields: body.error.details?.map(({ field }) => field) };
}

/** The ids in all pages of a list, in its order, `limit` to a page. */
export async function idsInPages(by: Api, path: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query = cursor === "" ? "" : `&cursor=${cursor}`;
    const { body } = await by("GET", `${path}?limit=${limit}${query}`);
    expect(body.items.length).toBeLessThanOrEqual(limit);
    ids.push(...body.items.map(({ id }) => id));
    cursor = body.nextCursor;
  }
  return ids;
}

/** A reply with words, and an id of its own unless one is given. */
export function replyWith(body: string, clientMessageId: string = newId()) {
  return { clientMessageId, type: "text", text: { body } };
}

let messengers = 0;

/**
 * A customer who sent a picture on a channel that carries more than words and has a window, to a
 * number of the tenant's on it: written by hand, since what arrives there is another test's.
 */
export async function pictureFrom(
  world: World,
  tenantId: string,
  customer: { phone?: string; userId?: string },
) {
  messengers += 1;
  const ids = {
    customerId: newId(),
    conversationId: newId(),
    messageId: newId(),
    fileId: newId(),
    phoneNumberId: `10654${messengers}`,
    providerMessageId: `wamid.${newId()}`,
    /** Stand in what was sent and nowhere else. */
    caption: `The kitchen of flat ${newId()}`,
  };
  const { phone = null, userId = null } = customer;
  await world.query(
    `INSERT INTO "ChannelNumber" ("channel", "address", "provider", "phoneNumber", "clientId")
     VALUES ('whatsapp', $1, 'whatsapp-cloud', '+447911300001', $2)`,
    [ids.phoneNumberId, tenantId],
  );
  await world.query(
    `INSERT INTO "Customer" ("id", "clientId", "phone", "userId") VALUES ($1, $2, $3, $4)`,
    [ids.customerId, tenantId, phone, userId],
  );
  await world.query(
    `INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel", "lastInboundAt")
     VALUES ($1, $2, $3, 'whatsapp', now())`,
    [ids.conversationId, tenantId, ids.customerId],
  );
  await world.query(
    `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "sender", "recipient", "body",
       "type", "payload", "status", "providerMessageId")
     VALUES ($1, $2, $3, 'INBOUND', 'whatsapp', $4, $5, '[image]', 'image', $7, 'RECEIVED', $6)`,
    [
      ids.messageId,
      tenantId,
      ids.conversationId,
      phone ?? userId,
      ids.phoneNumberId,
      ids.providerMessageId,
      { image: { caption: ids.caption } },
    ],
  );
  await world.query(
    `INSERT INTO "MediaFile" ("id", "clientId", "messageId", "channel", "reference", "contentType", "content", "state")
     VALUES ($1, $2, $3, 'whatsapp', 'media:1', 'image/jpeg', 'a picture', 'FETCHED')`,
    [ids.fileId, tenantId, ids.messageId],
  );
  return ids;
}
