import { afterAll, beforeAll } from "@jest/globals";
import { createDatabase, newId, type Database } from "@jobrun/db";
import { demoTenant } from "@jobrun/db/migrate";
import { signTwilioRequest } from "@jobrun/simulator";
import {
  createWorld,
  CUSTOMER,
  DEMO_NUMBER,
  post,
  type Answer,
  type RunningGateway,
  type World,
} from "./harness.ts";

export interface StatusCallback {
  sid: string;
  status: string;
  /** Our own id, as the create gave it to Twilio. */
  m?: string;
  code?: string;
  signature?: string;
}

interface TextRow {
  id?: string;
  status?: string;
  providerMessageId?: string | null;
  errorCode?: string | null;
  direction?: "INBOUND" | "OUTBOUND";
  conversation?: { tenantId: string; conversationId: string };
  recipient?: string;
}

/** What a file works with; there once its tests run. */
export let world: World;
export let gateway: RunningGateway;
export let db: Database;

/** One gateway for all tests of a file. */
export function useReceiptsWorld(): void {
  beforeAll(async () => {
    world = await createWorld();
    gateway = await world.startGateway();
    db = createDatabase({
      url: world.database.url,
      poolSize: 2,
      queryTimeoutMs: 5000,
      transactionTimeoutMs: 10_000,
      onQueryTimeout: () => {},
    });
  });
  afterAll(async () => {
    await db.close();
    await world.close();
  });
}

/** Posts a status callback as Twilio does. */
export function report({ sid, status, m, code, signature }: StatusCallback): Promise<Answer> {
  const path = `/api/twilio/message-status${m === undefined ? "" : `?m=${m}`}`;
  const params: Record<string, string> = {
    MessageSid: sid,
    MessageStatus: status,
    AccountSid: world.simulator.accountSid,
    From: DEMO_NUMBER,
    To: CUSTOMER,
    ...(code === undefined ? {} : { ErrorCode: code }),
  };
  const url = `https://gateway.example.com${path}`;
  return post(gateway.url + path, new URLSearchParams(params), {
    "x-twilio-signature": signature ?? signTwilioRequest(world.simulator.authToken, url, params),
  });
}

/** Writes a row that no worker touches: an UNKNOWN one is looked up in an hour, a lease lasts as long. */
export async function insertText(given: TextRow = {}): Promise<string> {
  const {
    id = newId(),
    status = "SENT",
    providerMessageId = null,
    errorCode = null,
    direction = "OUTBOUND",
  } = given;
  await world.query(
    `INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "sender", "recipient", "body",
       "status", "providerMessageId", "errorCode", "requestId", "attempts", "dueAt", "unknownSince", "leasedUntil")
     VALUES ($1, $2, $3, $4, 'sms', $5, $6, 'On our way', $7::text::"MessageStatus", $8, $9, 'request-1', 1, now() + interval '1 hour',
       CASE WHEN $7::text = 'UNKNOWN' THEN now() END, CASE WHEN $7::text = 'SENDING' THEN now() + interval '1 hour' END)`,
    [
      id,
      given.conversation?.tenantId ?? null,
      given.conversation?.conversationId ?? null,
      direction,
      DEMO_NUMBER,
      given.recipient ?? CUSTOMER,
      status,
      providerMessageId,
      errorCode,
    ],
  );
  return id;
}

/** What of a text a receipt may change. */
export async function row(id: string) {
  const [found] = await world.query(
    `SELECT "status", "providerMessageId", "errorCode", "sentAt" IS NOT NULL AS "sent", "unknownSince", "leasedUntil"
     FROM "Message" WHERE "id" = $1`,
    [id],
  );
  return found;
}

let sids = 0;

/** An id of the provider's that no other test of the file has. */
export function newSid(): string {
  sids += 1;
  return `SMreceipt${sids}`;
}

/** A new customer of the demo tenant and the conversation with them. */
export async function converse(phone: string) {
  const [tenantId, customerId, conversationId] = [demoTenant.id, newId(), newId()];
  await world.query(`INSERT INTO "Customer" ("id", "clientId", "phone") VALUES ($1, $2, $3)`, [
    customerId,
    tenantId,
    phone,
  ]);
  await world.query(
    `INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel") VALUES ($1, $2, $3, 'sms')`,
    [conversationId, tenantId, customerId],
  );
  return { tenantId, conversationId };
}
