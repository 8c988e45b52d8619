import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { newId } from "@jobrun/db";
import { twilioChannel } from "@jobrun/messaging";
import pg from "pg";
import { promptFor } from "../../apps/backend/src/assistant/prompt.ts";
import { announce, required } from "./child.ts";

/**
 * The floor: what any program must do to take in a text, and nothing else. The same signature check,
 * the same model double, the same rows in one statement; no lanes, no replanning, no events, no
 * row-level security, no sending.
 */
const pool = new pg.Pool({ connectionString: required("DATABASE_URL"), max: 10 });
const agent = new Agent({ keepAlive: true });
const accountSid = required("TWILIO_ACCOUNT_SID");
const publicUrl = required("PUBLIC_BASE_URL");
const modelUrl = `${required("OPENAI_BASE_URL")}/chat/completions`;
const channel = twilioChannel({ accountSid, authTokens: [required("TWILIO_AUTH_TOKEN")] });

const server = createServer(async (request, response) => {
  try {
    const rawBody = await read(request);
    const params = Object.fromEntries(new URLSearchParams(rawBody.toString()));
    const headers = { "x-twilio-signature": String(request.headers["x-twilio-signature"]) };
    if (!channel.verify({ url: publicUrl + request.url, headers, rawBody, params })) {
      response.writeHead(403).end();
      return;
    }
    await store(params, await askModel(params["Body"] ?? ""));
    response.writeHead(200, { "content-type": "text/xml" }).end("<Response/>");
  } catch {
    response.writeHead(500).end();
  }
});
server.listen(Number(required("PORT")), "127.0.0.1", () => {
  announce(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

interface ModelAnswer {
  text: string;
  urgency: string;
  job: { summary: string; type: string | null } | null;
}

async function askModel(text: string): Promise<ModelAnswer> {
  const context = { history: [], texts: [{ text, media: [] }], openJob: null };
  const messages = promptFor(
    { business: { name: "Demo Plumbing", locale: "en" }, ...context },
    "floor",
  );
  const body = JSON.stringify({
    model: "floor",
    messages,
    response_format: { type: "json_schema" },
  });
  const answer = JSON.parse((await post(modelUrl, body)).toString()) as {
    choices: { message: { content: string } }[];
  };
  return JSON.parse(answer.choices[0]?.message.content ?? "");
}

function post(url: string, body: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      authorization: `Bearer ${process.env["OPENAI_API_KEY"]}`,
    };
    httpRequest(url, { method: "POST", agent, headers }, (response) =>
      read(response).then(resolve, reject),
    )
      .on("error", reject)
      .end(body);
  });
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A repeated message id breaks the unique index, and with it the whole statement. */
async function store(params: Record<string, string>, answer: ModelAnswer): Promise<void> {
  await pool.query({
    name: "store",
    text: `
      WITH number AS (
        SELECT "clientId" FROM "TwilioNumberPool" WHERE "phoneNumber" = $2
      ), customer AS (
        INSERT INTO "Customer" ("id", "clientId", "phone") SELECT $6, "clientId", $1 FROM number
        ON CONFLICT ("clientId", "phone") DO UPDATE SET "phone" = EXCLUDED."phone" RETURNING "id", "clientId"
      ), conversation AS (
        INSERT INTO "Conversation" ("id", "clientId", "customerId", "channel") SELECT $7, "clientId", "id", 'sms' FROM customer
        ON CONFLICT ("clientId", "customerId", "channel") DO UPDATE
          SET "revision" = "Conversation"."revision" + 1, "updatedAt" = now()
        RETURNING "id", "clientId"
      ), messages AS (
        INSERT INTO "Message" ("id", "clientId", "conversationId", "direction", "channel", "kind", "sender", "recipient",
          "body", "status", "requestId", "providerMessageId")
        SELECT m.id::uuid, "clientId", c."id", m.direction::"MessageDirection", 'sms', m.kind, m.sender, m.recipient,
          m.body, m.status::"MessageStatus", $8, m.sid
        FROM conversation c, (VALUES ($9, 'INBOUND', 'text', $1, $2, $3, 'RECEIVED', $5),
          ($10, 'OUTBOUND', 'reply', $2, $1, $4, 'QUEUED', NULL)) AS m(id, direction, kind, sender, recipient, body, status, sid)
      )
      INSERT INTO "Job" ("id", "clientId", "conversationId", "summary", "type", "urgency", "status")
      SELECT $11, "clientId", "id", $12, $13, $14, 'NEEDS_INFO' FROM conversation WHERE $12::text IS NOT NULL
      ON CONFLICT ("conversationId") WHERE "status" NOT IN ('DECLINED', 'DONE') DO UPDATE SET
        "summary" = EXCLUDED."summary", "type" = EXCLUDED."type", "urgency" = EXCLUDED."urgency", "updatedAt" = now()`,
    values: [
      params["From"],
      params["To"],
      params["Body"],
      answer.text,
      params["MessageSid"],
      ...Array.from({ length: 6 }, newId),
      answer.job?.summary ?? null,
      answer.job?.type ?? null,
      answer.urgency,
    ],
  });
}
